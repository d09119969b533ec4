// Walks from the sign-in page to an hour report with nothing but generated types. Reads { service, organizationId, teamId, volunteerId, now } from the first
// line of its input, asks for somebody to sign in with lines like "Sign in: https://…" (first a coordinator, then the volunteer), and prints what it saw as
// JSON on its last line.
import createClient, { type Client } from 'openapi-fetch';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { signIn } from './sign-in.js';
import type { components, paths } from './volunteers.js';

type Problem = components['schemas']['Problem'];
type Posting = components['schemas']['Posting'];
interface Answer<T> { data?: T; error?: Problem; response: Response }

const input = createInterface({ input: process.stdin });
const { value: first } = await input[Symbol.asyncIterator]().next();
const { service, organizationId, teamId, volunteerId, now } = JSON.parse(first ?? '') as Record<'service' | 'organizationId' | 'teamId' | 'volunteerId' | 'now', string>;
input.close();

const coordinator = await somebody();
const volunteer = await somebody();
const minutesFromNow = (minutes: number): string => new Date(Date.parse(now) + minutes * 60_000).toISOString();

// An activity that is under way, with a shift that one may still join.
const activity = given(await coordinator.POST('/v1/organizations/{organizationId}/activities', {
  params: { path: { organizationId } },
  body: { teamId, title: '晚间护路', category: '护路', startsAt: minutesFromNow(-180), endsAt: minutesFromNow(120), location: { name: '石厦北二街' } },
}), 201);
const activityId = activity.id;
const unpublished = refused(await volunteer.GET('/v1/organizations/{organizationId}/activities/{activityId}', { params: { path: { organizationId, activityId } } }));
const published = given(await coordinator.POST('/v1/organizations/{organizationId}/activities/{activityId}/publish', { params: { path: { organizationId, activityId } } }));
const shift = given(await coordinator.POST('/v1/organizations/{organizationId}/activities/{activityId}/shifts', {
  params: { path: { organizationId, activityId } }, body: { name: '早班', capacity: 1, signUpClosesAt: minutesFromNow(60) },
}), 201);

// A change needs the version that was seen.
const path = { organizationId, activityId };
const etag = (await coordinator.GET('/v1/organizations/{organizationId}/activities/{activityId}', { params: { path } })).response.headers.get('ETag') ?? '';
const renamed = given(await coordinator.PATCH('/v1/organizations/{organizationId}/activities/{activityId}', {
  params: { path, header: { 'If-Match': etag } }, body: { title: '周五晚间护路' },
}));
const stale = refused(await coordinator.PATCH('/v1/organizations/{organizationId}/activities/{activityId}', {
  params: { path, header: { 'If-Match': etag } }, body: { title: '迟到的修改' },
}));

// A place is taken once, however often it is asked for under one key.
const sign = { params: { path: { organizationId, shiftId: shift.id }, header: { 'Idempotency-Key': randomUUID() } }, body: {} };
const signUp = given(await volunteer.POST('/v1/organizations/{organizationId}/shifts/{shiftId}/sign-ups', sign), 201);
const again = await volunteer.POST('/v1/organizations/{organizationId}/shifts/{shiftId}/sign-ups', sign);

// What volunteers say of themselves waits for somebody else.
const record = given(await volunteer.POST('/v1/organizations/{organizationId}/service-records', {
  params: { path: { organizationId } }, body: { volunteerId, activityId, startsAt: minutesFromNow(-150), endsAt: minutesFromNow(-30) },
}), 201);
const own = refused(await volunteer.POST('/v1/organizations/{organizationId}/service-records/{recordId}/approve', {
  params: { path: { organizationId, recordId: record.id } },
}));
const waiting = given(await coordinator.GET('/v1/organizations/{organizationId}/service-records/review', { params: { path: { organizationId } } }));
const approved = given(await coordinator.POST('/v1/organizations/{organizationId}/service-records/approvals', {
  params: { path: { organizationId } }, body: { recordIds: waiting.items.map(item => item.recordId) },
}));
const twice = refused(await coordinator.POST('/v1/organizations/{organizationId}/service-records', {
  params: { path: { organizationId } }, body: { volunteerId, activityId, startsAt: minutesFromNow(-60), endsAt: minutesFromNow(-10) },
}));

// What was booked, page by page.
const postings: Posting[] = [];
for (let cursor: string | null = null; ;) {
  const page: { items: Posting[]; next: string | null } = given(await coordinator.GET('/v1/organizations/{organizationId}/ledger', {
    params: { path: { organizationId }, query: { limit: 1, ...(cursor === null ? {} : { cursor }) } },
  }));
  postings.push(...page.items);
  if (page.next === null) break;
  cursor = page.next;
}

const [from, to] = [minutesFromNow(-2 * 24 * 60).slice(0, 10), minutesFromNow(2 * 24 * 60).slice(0, 10)];
const report = given(await coordinator.GET('/v1/organizations/{organizationId}/reports/hours', {
  params: { path: { organizationId }, query: { from, to, groupBy: 'team', asOf: String(postings.at(-1)?.position ?? 0) } },
}));
// Its other formats are texts.
if (typeof report === 'string') throw new Error('The report is no JSON.');
const csv = given(await coordinator.GET('/v1/organizations/{organizationId}/reports/hours', {
  params: { path: { organizationId }, query: { from, to, groupBy: 'team', format: 'csv' } }, parseAs: 'text',
}));
const hours = given(await volunteer.GET('/v1/me/hours'));

console.log(JSON.stringify({
  unpublished: unpublished.code, published: published.status, renamed: renamed.title, stale: stale.code,
  signUp: signUp.status, replayed: again.response.headers.get('Idempotency-Replayed'), sameAnswer: JSON.stringify(again.data) === JSON.stringify(signUp),
  record: record.status, own: own.code, waiting: waiting.items.map(item => item.recordId), recordId: record.id, approved: approved.items.map(item => item?.status), twice: twice.code,
  postings: postings.map(({ position, cause, minutes, recordId }) => ({ position, cause, minutes, recordId })),
  rows: report.rows.map(row => ({ team: row.team?.id, persons: row.persons, minutes: row.minutes, hours: row.hours })), total: report.total,
  csv: String(csv).trimEnd().split('\r\n').at(-1), netMinutes: hours.netMinutes,
}));

async function somebody(): Promise<Client<paths>> {
  const token = await signIn(service, address => console.log(`Sign in: ${address}`));
  const api = createClient<paths>({ baseUrl: service });
  api.use({
    async onRequest({ request }) {
      request.headers.set('Authorization', `Bearer ${await token()}`);
    },
  });
  return api;
}

function given<T>({ data, error, response }: Answer<T>, status = 200): NonNullable<T> {
  if (data === undefined || data === null || response.status !== status) throw new Error(`${response.status} at ${response.url}: ${JSON.stringify(error ?? data)}`);
  return data;
}

function refused({ data, error, response }: Answer<unknown>): Problem {
  if (error === undefined) throw new Error(`${response.status} at ${response.url}: ${JSON.stringify(data)}`);
  return error;
}
