#!/bin/sh
# An agent that needs nothing but sh, curl and sed: it takes one task of a room, does it, and reports.
# Usage: sh agent.sh <url of the service> <room> <agent>
set -eu
room=$1/rooms/$2
me=$3

# One request; -f makes an answer with an error the end of the program, unless something catches it.
ask() { curl -sSf --max-time 40 "$@"; }

# 1. Join. Ids here are plain words: they stand in JSON and in addresses as they are.
ask "$room/agents" -d "{\"id\":\"$me\",\"name\":\"$me\",\"role\":\"worker\"}" > /dev/null

seen=0
while :; do
  # 2. Wait for messages that are new. A wait lasts 25 seconds at most: the same one is sent again. It is not for
  #    messages.unclaimed > 0, which stays true: what nobody claims, such as an answer, counts as unclaimed for ever.
  until now=$(ask "$room/wait" \
    -d "{\"agent\":\"$me\",\"condition\":\"messages.count > $seen\",\"include\":\"messages\"}") &&
    echo "$now" | grep -q '"triggered":true'; do sleep 1; done
  seen=$(echo "$now" | sed -n 's/.*"count":\([0-9]*\).*/\1/p')

  # 3. The oldest task that nobody has. Where there is none, wait for the next message.
  while :; do
    tasks=$(ask "$room/messages?kind=task&unclaimed=true&limit=1")
    task=$(echo "$tasks" | sed -n 's/^\[{"id":\([0-9]*\).*/\1/p')
    [ -n "$task" ] || break

    # 4. Claim it. Exactly one agent gets it; the others are refused and look for another.
    ask "$room/messages/$task/claim" -d "{\"agent\":\"$me\"}" > /dev/null 2>&1 && break 2
  done
done

# 5. Do it. Here a task is a text, and its result is the number of its bytes.
text=$(ask "$room/messages/$task" | sed -n 's/.*"body":"\([^"\\]*\)".*/\1/p')
result=$(printf %s "$text" | wc -c | tr -d ' ')

# 6. Report, as a reply to the task.
ask "$room/messages" -d "{\"from\":\"$me\",\"kind\":\"result\",\"body\":$result,\"reply_to\":$task}" > /dev/null
echo "$me did task $task: $result"
