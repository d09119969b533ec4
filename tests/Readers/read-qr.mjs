// Reads the picture of a QR code (SVG, of squares and of paths around rectangles) from stdin and prints what an independent decoder reads in it, as JSON.
import decode from 'jsqr';
import { text } from 'node:stream/consumers';

const svg = await text(process.stdin);
const attributes = tag => Object.fromEntries([...tag.matchAll(/([\w-]+)="([^"]*)"/g)].map(match => [match[1], match[2]]));
const number = value => (value === undefined ? 0 : value === '100%' ? side : parseFloat(value));
const dark = fill => /^(#0{3}|#0{6}|black)$/i.test(fill ?? 'black');

const root = attributes(svg.match(/<svg[^>]*>/)[0]);
const side = parseFloat(root.viewBox ? root.viewBox.split(/[ ,]+/)[2] : root.width);
const scale = Math.max(1, Math.ceil(400 / side));
const size = Math.round(side * scale);
const pixels = new Uint8ClampedArray(size * size * 4).fill(255);

function square(x, y, width, height, fill) {
  const [left, top, right, bottom] = [x, y, x + width, y + height].map(v => Math.min(size, Math.round(v * scale)));
  for (let row = top; row < bottom; row++)
    for (let column = left; column < right; column++)
      pixels.fill(dark(fill) ? 0 : 255, (row * size + column) * 4, (row * size + column) * 4 + 3);
}

for (const [tag] of svg.matchAll(/<(?:rect|path)[^>]*>/g)) {
  const shape = attributes(tag);
  if (tag.startsWith('<rect')) square(number(shape.x), number(shape.y), number(shape.width), number(shape.height), shape.fill);
  else for (const [, x, y, width, height] of shape.d.matchAll(/M([\d.]+)[ ,]([\d.]+)h([\d.]+)v([\d.]+)/g)) square(+x, +y, +width, +height, shape.fill);
}

console.log(JSON.stringify({ content: (decode.default ?? decode)(pixels, size, size)?.data ?? null }));
