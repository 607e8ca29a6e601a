#!/bin/sh
# Executes samples/notebooks/missed.ipynb over the answer of a run, and compares its points with the report's table.
#
#   bench/engines/notebook.sh [FOLDER [PICTURE]]     needs Debian's python3-pandas, python3-matplotlib,
#                                                    python3-nbconvert and python3-ipykernel
# Without a folder, runs the scenario `frontier` first.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/dropframe-notebook-XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
folder=${1:-$work/frontier}
[ -n "${1:-}" ] || node "$top/bin/dropframe.js" lab run frontier --out "$folder" --quiet
export DROPFRAME_RUN="$folder" DROPFRAME_POINTS="$work/points.csv" DROPFRAME_PICTURE="${2:-$work/missed.png}"
# The kernel of Debian's Python, whichever others there are.
mkdir -p "$work/kernels/kernels/python3"
echo '{"argv": ["/usr/bin/python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "Python 3", "language": "python"}' \
  > "$work/kernels/kernels/python3/kernel.json"
JUPYTER_PATH="$work/kernels" MPLBACKEND=agg /usr/bin/python3 -m nbconvert --to notebook --execute \
  --output-dir "$work" --output executed "$top/samples/notebooks/missed.ipynb"
# The same points by another program, from summary.csv.
node -e '
const { readFileSync } = require("node:fs");
const table = (file) => {
  const [head, ...lines] = readFileSync(file, "utf8").trim().split("\n").map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/));
  return lines.map((line) => Object.fromEntries(line.map((value, index) => [head[index], value])));
};
const points = new Map();
const add = (key, frames, inTime) => {
  const [one, other] = points.get(key) ?? [0, 0];
  points.set(key, [one + Number(frames), other + Number(inTime)]);
};
const keyOf = ({ forward, strategy, parameters, budgetMs }) =>
  [forward.replace(/\s*seed=\d+/, ""), strategy, parameters, Number(budgetMs)].join("|");
for (const row of table(process.argv[1])) add(keyOf(row), row.frames, row.framesInTime);
const drawn = table(process.argv[2]);
const wrong = drawn.filter((row) => points.get(keyOf(row))?.join() !== [Number(row.frames), Number(row.framesInTime)].join());
if (drawn.length !== points.size || wrong.length > 0) throw new Error(`${wrong.length} of ${drawn.length} points differ`);
console.log(`${drawn.length} points as in summary.csv`);
' "$folder/summary.csv" "$work/points.csv"
[ -s "$DROPFRAME_PICTURE" ] && echo "picture: $(file -b "$DROPFRAME_PICTURE")"
