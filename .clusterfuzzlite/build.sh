#!/usr/bin/env bash
# Builds each fuzz target into $OUT, as ClusterFuzzLite wants it. Run in the root of the tree.
#
# Coverage is what every toolchain has. SANITIZER=address, which ClusterFuzzLite says, is an unstable option of a stable one, which has
# the runtime for it.
set -euo pipefail

readonly OUT=${OUT:?where the fuzz targets go}
readonly TARGET=x86_64-unknown-linux-gnu

flags=(
    --cfg fuzzing
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
    -Ccodegen-units=1
)
features=()
if [[ ${SANITIZER:-none} == address ]]; then
    export RUSTC_BOOTSTRAP=1
    flags+=(-Zsanitizer=address)
    features=(--features address)
fi

# Only what is fuzzed is instrumented, not what builds it: hence the target's name.
folder=${CARGO_TARGET_DIR:-fuzz/target}
RUSTFLAGS="${flags[*]}" CARGO_TARGET_DIR=$folder \
    cargo build --quiet --release --locked --target "$TARGET" --manifest-path fuzz/Cargo.toml "${features[@]}"

for source in fuzz/fuzz_targets/*.rs; do
    name=$(basename "$source" .rs)
    cp "$folder/$TARGET/release/$name" "$OUT/"
done
