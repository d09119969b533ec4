// Reads an iCalendar file from stdin and prints what an independent parser makes of it, as JSON: each event with its
// instants in UTC, reckoned with the VTIMEZONE in the file and nothing else.
import ICAL from 'ical.js';
import { text } from 'node:stream/consumers';

const calendar = new ICAL.Component(ICAL.parse(await text(process.stdin)));
// ical.js knows UTC and floating only; zones come from the file.
const zones = new Map(calendar.getAllSubcomponents('vtimezone').map(zone => [zone.getFirstPropertyValue('tzid'), new ICAL.Timezone(zone)]));

function instant(property) {
  const time = property.getFirstValue();
  const tzid = property.getParameter('tzid');
  if (tzid === undefined) {
    if (time.zone !== ICAL.Timezone.utcTimezone) throw new Error(`${property.name} is neither in UTC nor in a time zone`);
    return { at: utc(time), tzid: null };
  }
  if (!zones.has(tzid)) throw new Error(`the file has no VTIMEZONE ${tzid}`);
  time.zone = zones.get(tzid);
  return { at: utc(time), tzid };
}

const utc = time => new Date(time.toUnixTime() * 1000).toISOString().replace('.000Z', 'Z');

function event(component) {
  const value = name => component.getFirstPropertyValue(name);
  const [start, end] = [instant(component.getFirstProperty('dtstart')), instant(component.getFirstProperty('dtend'))];
  return {
    uid: value('uid'),
    sequence: value('sequence'),
    status: value('status'),
    start: start.at,
    end: end.at,
    tzid: start.tzid,
    dtstamp: instant(component.getFirstProperty('dtstamp')).at,
    lastModified: instant(component.getFirstProperty('last-modified')).at,
    summary: value('summary'),
    description: value('description'),
    location: value('location'),
    geo: value('geo'),
    properties: component.getAllProperties().map(property => property.name),
  };
}

console.log(JSON.stringify({
  properties: Object.fromEntries(calendar.getAllProperties().map(property => [property.name, String(property.getFirstValue())])),
  components: calendar.getAllSubcomponents().map(component => component.name),
  zones: [...zones.keys()],
  events: calendar.getAllSubcomponents('vevent').map(event),
}));
