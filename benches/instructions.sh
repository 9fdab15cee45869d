#!/bin/sh
# Counts the instructions of each step of benches/micro.rs with callgrind: the same on every machine, unlike time.
# Needs valgrind. Prints instructions for one run of the step.
set -eu
cd "$(dirname "$0")/.."
times=200
binary=$(cargo bench --bench micro --no-run 2>&1 | sed -n 's/.*Executable.*(\(.*\))$/\1/p')

collected() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$binary" --count "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : *//p'
}

for step in parse parse-serde_json read-30-fields write-copied write-built write-serde_json; do
    # The difference takes away start and set-up.
    none=$(collected "$step" 0)
    some=$(collected "$step" "$times")
    echo "$step $(((some - none) / times))"
done
