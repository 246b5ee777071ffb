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

# 2. Take the oldest task that nobody has: exactly one agent gets it. Where there is none this waits, 25 seconds at
#    most: the same is sent again. The task is this agent's for a minute; if it dies, another one gets it then.
until taken=$(ask "$room/messages/claim" -d "{\"agent\":\"$me\",\"kind\":\"task\",\"ttl\":60,\"timeout\":25000}") &&
  echo "$taken" | grep -q '"claimed":true'; do sleep 1; done
task=$(echo "$taken" | sed -n 's/.*"message_id":\([0-9]*\).*/\1/p')
fence=$(echo "$taken" | sed -n 's/.*"fence":\([0-9]*\).*/\1/p')
text=$(echo "$taken" | sed -n 's/.*"body":"\([^"\\]*\)".*/\1/p')

# 3. Do it. Here a task is a text, and its result is the number of its bytes.
result=$(printf %s "$text" | wc -c | tr -d ' ')

# 4. Report: the task is done, and the result is posted as a reply to it, in one request.
ask "$room/messages/$task/complete" -d "{\"agent\":\"$me\",\"fence\":$fence,\"result\":$result}" > /dev/null
echo "$me did task $task: $result"
