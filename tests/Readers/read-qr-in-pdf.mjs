// Reads a PDF from stdin, draws its pages as pictures with a renderer that did not write it, and prints what an independent decoder reads in the QR code on them, as JSON.
import decode from 'jsqr';
import { createCanvas } from '@napi-rs/canvas';
import { buffer } from 'node:stream/consumers';
import { getDocument, VerbosityLevel } from 'pdfjs-dist/legacy/build/pdf.mjs';

// As a phone sees it on a screen: 144 dots to the inch.
const scale = 2;
const document = await getDocument({ data: new Uint8Array(await buffer(process.stdin)), verbosity: VerbosityLevel.ERRORS }).promise;
const found = [];

for (let number = 1; number <= document.numPages; number++) {
  const page = await document.getPage(number);
  const viewport = page.getViewport({ scale });
  const [width, height] = [Math.ceil(viewport.width), Math.ceil(viewport.height)];
  const canvas = createCanvas(width, height);
  await page.render({ canvas, viewport }).promise;
  const read = (decode.default ?? decode)(canvas.getContext('2d').getImageData(0, 0, width, height).data, width, height)?.data;
  if (read) found.push(read);
}

console.log(JSON.stringify({ content: found.length === 1 ? found[0] : null, found: found.length }));
