#!/usr/bin/env bash
# Every check, the quick ones first. `./svidok test` prepares the environment and calls this.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=src PYTHONDONTWRITEBYTECODE=1

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
