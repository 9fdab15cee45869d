#!/bin/sh
# Counts the instructions of each step of benches/micro.rs with callgrind: the same on every machine, unlike time.
# Needs valgrind. Prints instructions for one run of the step, and what they are together against the budget.
set -eu
cd "$(dirname "$0")/.."
times=200
# Instructions for one request body of the reference exchange, from received bytes to the bytes sent on.
budget=190000
binary=$(cargo bench --bench micro --no-run 2>&1 | sed -n 's/.*Executable.*(\(.*\))$/\1/p')

collected() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$binary" --count "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : *//p'
}

# The same start for all: its instructions are taken away.
none=$(collected parse 0)
count() {
    some=$(collected "$1" "$times")
    echo $(((some - none) / times))
}

body=0
for step in parse check-request apply-request; do
    instructions=$(count "$step")
    body=$((body + instructions))
    printf '%-18s %8d\n' "$step" "$instructions"
done
printf '%-18s %8d   budget %d, %d %% of it\n' 'request body' "$body" "$budget" $((body * 100 / budget))
for step in apply-answer complete-answer check-answer exchange parse-serde_json write-copied write-built write-serde_json; do
    printf '%-18s %8d\n' "$step" "$(count "$step")"
done
