#!/bin/sh
# Checks the Indexed Job of docs/SCALING.md without a cluster: `kubectl` reads it into the types of batch/v1 and must give
# back every field, as it leaves out what these types do not have. Runs the container's command for three indexes.
#
#   bench/engines/kubernetes.sh      needs kubectl and Debian's python3-yaml
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/dropframe-kubernetes-XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
sed -n '/^```yaml$/,/^```$/p' "$top/docs/SCALING.md" | sed '/^```/d' > "$work/job.yaml"
# Another image, as kubectl prints nothing when nothing changes.
kubectl set image --local --filename "$work/job.yaml" shard=checked --output json > "$work/read.json"
/usr/bin/python3 - "$work/job.yaml" "$work/read.json" > "$work/command" <<'PYTHON'
import json, sys, yaml

def leaves(value, path=()):
    if isinstance(value, dict):
        return {leaf for key, item in value.items() for leaf in leaves(item, (*path, key))}
    if isinstance(value, list):
        return {leaf for index, item in enumerate(value) for leaf in leaves(item, (*path, index))}
    return {(path, value)}

written = yaml.safe_load(open(sys.argv[1]))
read = json.load(open(sys.argv[2]))
lost = {leaf for leaf in leaves(written) - leaves(read) if leaf[0][-1] != 'image'}
if lost:
    sys.exit(f'unknown to batch/v1: {sorted(".".join(map(str, path)) for path, _ in lost)}')
print(f'{len(leaves(written))} fields, all known to {read["apiVersion"]}', file=sys.stderr)
print(written['spec']['template']['spec']['containers'][0]['args'][0])
PYTHON
# `dropframe` prints what it was called with.
mkdir "$work/bin"
printf '#!/bin/sh\necho "$@"\n' > "$work/bin/dropframe"
chmod +x "$work/bin/dropframe"
for index in 0 1 63; do
  shard=$(JOB_COMPLETION_INDEX=$index PATH="$work/bin:$PATH" sh -c "$(cat "$work/command")" | grep -o -- '--shard [0-9/]*')
  [ "$shard" = "--shard $((index + 1))/64" ]
  echo "index $index: $shard"
done
