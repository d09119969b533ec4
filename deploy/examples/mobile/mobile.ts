// A volunteer's phone, in sixty lines: sign in, my shifts, take a place, check in where there is no network, my hours. See README.md for how to start it.
import createClient from 'openapi-fetch';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { signIn } from './sign-in.js';
import type { components, paths } from './volunteers.js';

type Problem = components['schemas']['Problem'];
type OfflineEvent = components['schemas']['OfflineEvent'];

const service = process.env.VOLUNTEERS ?? 'http://localhost:5080';
const screen = createInterface({ input: process.stdin });
const lines = screen[Symbol.asyncIterator]();

const token = await signIn(service, address => console.log(`Sign in: ${address}`));
const api = createClient<paths>({ baseUrl: service });
api.use({
  async onRequest({ request }) {
    request.headers.set('Authorization', `Bearer ${await token()}`);
    request.headers.set('Accept-Language', 'zh-CN');
  },
});

/** What was asked for, or the problem: its `code` is for programs, its `detail` for whoever holds the phone. */
function given<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) throw new Error(`${answer.error?.code}: ${answer.error?.detail}`);
  return answer.data;
}

const me = given(await api.GET('/v1/me'));
const home = me.organizations.find(organization => organization.volunteerId !== null);
if (!home?.volunteerId) throw new Error('This account is no volunteer anywhere.');
const [{ organizationId }, volunteerId] = [home, home.volunteerId];
console.log(`Hello ${me.displayName}`);

// Take a place on the first shift that is open to me. The key makes it safe to send again when no answer comes: it counts once.
const open = given(await api.GET('/v1/organizations/{organizationId}/activities', { params: { path: { organizationId }, query: { openFor: 'me' } } }));
const shift = open.items.flatMap(activity => activity.openShifts ?? [])[0];
if (!shift) throw new Error('No shift is open.');
const taken = given(await api.POST('/v1/organizations/{organizationId}/shifts/{shiftId}/sign-ups', {
  params: { path: { organizationId, shiftId: shift.shiftId }, header: { 'Idempotency-Key': randomUUID() } }, body: {},
}));
console.log(`Place on ${shift.name}: ${taken.status}`);

for (let cursor: string | undefined; ;) {
  const { items, next } = given(await api.GET('/v1/me/shifts', { params: { query: cursor === undefined ? {} : { cursor } } }));
  for (const mine of items) console.log(`My shift: ${mine.title}, ${mine.name}, ${mine.startsAt}, ${mine.status}`);
  if (!next) break;
  cursor = next;
}

// Check in without a network: note what happened, under an id of its own, and send it when there is one. Sent twice, it counts once.
console.log('Code on the organizer\'s screen?');
const noted: OfflineEvent[] = [
  { clientEventId: randomUUID(), volunteerId, shiftId: shift.shiftId, kind: 'checkIn', occurredAt: new Date().toISOString(), code: (await lines.next()).value },
];
for (let attempt = 1; attempt <= 2; attempt++) {
  const { items } = given(await api.POST('/v1/organizations/{organizationId}/attendance/batch', {
    params: { path: { organizationId } }, body: { sentAt: new Date().toISOString(), events: noted },
  }));
  for (const item of items) console.log(`Check-in: ${item.result}${item.detail ? `, ${item.detail}` : ''}`);
}

const hours = given(await api.GET('/v1/me/hours'));
console.log(`My hours: ${(hours.netMinutes / 60).toFixed(2)} (${hours.personTimes} times), waiting for review: ${hours.minutesWaiting} minutes`);
screen.close();
