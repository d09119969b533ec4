#!/usr/bin/env bash
# From a list on paper to the hour report: signs in as a system, plans an activity, records who came from when to when, and prints the report as CSV.
#   ORGANIZATION=… CLIENT_ID=… CLIENT_SECRET=… ./hours.sh TEAM TITLE < list.csv > report.csv
# A line of the list is "volunteer number,start,end", as SX-0048,2026-06-07T06:30:00+08:00,2026-06-07T09:00:00+08:00. Run again, it counts nothing twice.
# The client is a coordinator with the scopes roster.read, activities.write, hours.write and reports.read. Needs bash, curl, jq and sha256sum.
set -euo pipefail
: "${VOLUNTEERS:=http://localhost:5080}" "${ORGANIZATION:?}" "${CLIENT_ID:?}" "${CLIENT_SECRET:?}"
O=$VOLUNTEERS/v1/organizations/$ORGANIZATION TEAM_NAME=$1 TITLE=$2

# The secret and the token go through files that only curl reads: arguments show in the list of processes.
TOKEN=$(curl -sS --fail-with-body "$VOLUNTEERS/connect/token" -K <(printf 'user = "%s:%s"' "$CLIENT_ID" "$CLIENT_SECRET") \
  -d grant_type=client_credentials -d scope='roster.read activities.write hours.write reports.read' | jq -r .access_token)

# api PATH [curl's options]: the answer; where it is a problem, its code and what it says, and the end. By way of a file, which curl empties
# before it tries again: what is printed cannot be taken back.
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT
api() {
  : > "$ANSWER"
  curl -sS --fail-with-body --retry 5 -o "$ANSWER" -H @<(echo "Authorization: Bearer $TOKEN") -H 'Content-Type: application/json' -H 'Accept-Language: zh-CN' "$O$1" "${@:2}" ||
    { jq -r '"\(.code): \(.detail)"' "$ANSWER" >&2; return 1; }
  cat "$ANSWER"
}

# once KEY PATH JSON: a POST that may be sent again. Its key says what it is, so a second run gets the answer of the first.
once() { api "$2" -H "Idempotency-Key: $1" -d "$3"; }

TEAM=
CURSOR=
while [ -z "$TEAM" ]; do
  page=$(api "/teams?limit=200${CURSOR:+&cursor=$CURSOR}")
  TEAM=$(jq -r --arg name "$TEAM_NAME" 'first(.items[] | select(.name == $name) | .id) // empty' <<< "$page")
  CURSOR=$(jq -r '.next // empty' <<< "$page")
  [ -n "$TEAM$CURSOR" ] || { echo "There is no team $TEAM_NAME." >&2; exit 1; }
done

LIST=$(cat)
FROM=$(cut -d, -f2 <<< "$LIST" | sort | head -n 1) TO=$(cut -d, -f3 <<< "$LIST" | sort | tail -n 1)
RUN=$(sha256sum <<< "$TEAM $TITLE $FROM $TO" | cut -c1-32)
ACTIVITY=$(once "$RUN-activity" /activities \
  "$(jq -n --arg team "$TEAM" --arg title "$TITLE" --arg from "$FROM" --arg to "$TO" '{ teamId: $team, title: $title, category: "志愿服务", startsAt: $from, endsAt: $to }')" | jq -r .id)

while IFS=, read -r number starts ends; do
  volunteer=$(api /volunteers -G --data-urlencode "q=$number" | jq -r --arg number "$number" 'first(.items[] | select(.number == $number) | .id) // empty')
  [ -n "$volunteer" ] || { echo "There is no volunteer $number." >&2; exit 1; }
  once "$RUN-$number-$starts" /service-records "$(jq -n --arg volunteer "$volunteer" --arg activity "$ACTIVITY" --arg starts "$starts" --arg ends "$ends" \
    '{ volunteerId: $volunteer, activityId: $activity, startsAt: $starts, endsAt: $ends }')" | jq -r '"\(.status): \(.minutes) minutes"' >&2
done <<< "$LIST"

api "/reports/hours?from=${FROM:0:10}&to=${TO:0:10}&groupBy=team,volunteer&team=$TEAM&format=csv"
