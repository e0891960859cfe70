#!/usr/bin/env bash
# Every check, the quick ones first. `./svidok test` prepares the environment and calls this.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=src PYTHONDONTWRITEBYTECODE=1

# A token in software, to sign with for real; where it cannot be installed, those tests are skipped and say so.
if [ ! -e /usr/lib/softhsm/libsofthsm2.so ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq softhsm2; } >/dev/null 2>&1 || true
fi

# A client of Swift that we did not write; where it cannot be installed, its tests are skipped and say so.
if ! command -v rclone >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq rclone; } >/dev/null 2>&1 || true
fi

# The third verifier of bundles is written in Go; where Go cannot be installed, its tests are skipped and say so.
if ! command -v go >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq golang-go; } >/dev/null 2>&1 || true
fi

echo "== style"
ruff format --check src tests benchmarks
ruff check src tests benchmarks
echo "== types"
mypy src/svidok
echo "== imports"
lint-imports --no-cache | sed -n '/Contracts/,$p'
echo "== web: types, style, units"
(cd web && npm run --silent check && npm run --silent test)
echo "== tests"
python -m pytest -n 2 --dist loadfile "$@"
python -m pytest --doctest-modules src/svidok -p no:cacheprovider --no-header
