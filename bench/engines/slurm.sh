#!/bin/sh
# Runs a sweep as a Slurm array job on this machine, as docs/SCALING.md describes: one node with two CPUs, four shards,
# one of which is killed and queued again, and a merge that waits for all. Compares the answer with one `lab run`.
#
#   bench/engines/slurm.sh [SCENARIO]      needs root, and slurm-wlm and munge (Debian)
#
# Starts its own munged, slurmctld and slurmd with all of their files in a temporary folder, and ends them.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
lab="node $top/bin/dropframe.js lab"
work=$(mktemp -d /tmp/dropframe-slurm-XXXXXX)
scenario=${1:-$work/shared.json}
export SLURM_CONF="$work/slurm.conf"
daemons=
finish() {
  # The steps of jobs outlive the daemons.
  if scancel --user root --full 2>/dev/null; then
    for _ in $(seq 60); do
      if [ -z "$(squeue --noheader 2>/dev/null)" ]; then break; fi
      sleep 0.5
    done
  fi
  for pid in $daemons; do kill "$pid" 2>/dev/null || true; done
  for pid in $daemons; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Compiles if a source is newer, which two tasks would do at once.
$lab list > /dev/null

cat > "$work/shared.json" <<SCENARIO
{
  "name": "shared",
  "question": "Is it the same under Slurm?",
  "source": { "synthetic": { "kbps": 1000, "seconds": 30 } },
  "link": { "forward": ["loss=3% delay=20ms jitter=4ms", "loss=3% burst=4 delay=20ms"] },
  "strategies": ["nack", "fec", "hybrid", "tcp-cubic"],
  "budgetsMs": [100, 150],
  "repeats": 3
}
SCENARIO

# Two free ports.
ports=$(node -e '
const { createServer } = require("node:net");
const servers = [1, 2].map(() => createServer().listen(0, "127.0.0.1"));
setTimeout(() => { console.log(servers.map((one) => one.address().port).join(" ")); process.exit(); }, 100)')
name=$(hostname -s)
cat > "$work/slurm.conf" <<CONF
ClusterName=dropframe
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=${ports% *}
SlurmdPort=${ports#* }
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
MinJobAge=3600
SchedulerParameters=sched_interval=1,batch_sched_delay=1
NodeName=$name NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=$name Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
mkdir "$work/state" "$work/spool" "$work/munge"
dd if=/dev/urandom of="$work/munge.key" bs=128 count=1 2>/dev/null
chmod 700 "$work/munge"
chmod 600 "$work/munge.key"
# munge asks for a folder that all users may enter, and daemons stay in the foreground, so that this script ends them.
chmod 755 "$work"
munged --foreground --force --key-file "$work/munge.key" --socket "$work/munge.socket" \
  --pid-file "$work/munge/pid" --log-file "$work/munge/log" --seed-file "$work/munge/seed" 2> "$work/munged.out" &
daemons="$!"
slurmctld -D > "$work/slurmctld.out" 2>&1 &
daemons="$! $daemons"
slurmd -D > "$work/slurmd.out" 2>&1 &
daemons="$! $daemons"

# Waits for a command to succeed, at most ten minutes.
until_true() {
  for _ in $(seq 1200); do
    if "$@" > /dev/null 2>&1; then return 0; fi
    sleep 0.5
  done
  echo "gave up waiting for: $*" >&2
  tail -n 20 "$work"/*.out "$work"/*.log >&2 || true
  return 1
}
node_idle() { sinfo --noheader --format %t | grep -q '^idle'; }
state_is() { scontrol show job "$1" | grep -q "JobState=$2"; }
until_true node_idle
echo "Slurm $(sinfo --version | cut -d' ' -f2): $(sinfo --noheader --format '%D node, %c CPUs, %t')"

cd "$work"
cat > sweep.sh <<JOB
#!/bin/sh
#SBATCH --array=1-4 --cpus-per-task=1 --time=01:00:00 --requeue --output=%a.log --open-mode=append
srun --cpus-per-task "\$SLURM_CPUS_PER_TASK" $lab sweep "$scenario" --out "$work/array" \\
  --shard "\$SLURM_ARRAY_TASK_ID/4" --jobs "\$SLURM_CPUS_PER_TASK" --quiet
JOB
job=$(sbatch --parsable sweep.sh)
echo "array job $job, four tasks"

# The process of the second task, by its command line and the folder of this run.
victim() { pgrep -f "^[^ ]*/node .*lab sweep .*--out $work/array --shard 2/4 " | head -n 1; }
started() { [ -n "$(victim)" ] && [ -n "$(ls "$work/array/cells" 2>/dev/null)" ]; }
until_true started
pid=$(victim)
kill -9 "$pid"
until_true state_is "${job}_2" FAILED
echo "task ${job}_2: $(scontrol show job "${job}_2" | grep -o 'JobState=[A-Z]*\|ExitCode=[0-9:]*' | tr '\n' ' ')after kill -9"
scontrol requeue "${job}_2"
# Not `afterok`, which a task that has failed never satisfies, although it is queued again. The merge checks that nothing is missing.
merge=$(sbatch --parsable --dependency="afterany:$job" --output=merge.log --wrap "$lab merge '$work/array' --quiet")
until_true state_is "$merge" COMPLETED
for task in 1 2 3 4; do
  echo "task ${job}_$task: $(scontrol show job "${job}_$task" | grep -o 'JobState=[A-Z]*\|Restarts=[0-9]*\|ExitCode=[0-9:]*' | tr '\n' ' ')"
done

$lab run "$scenario" --out "$work/one" --jobs 2 --quiet
for table in summary.csv summary.parquet bursts.csv report.html; do
  cmp "$work/array/$table" "$work/one/$table"
  echo "$table: $(sha256sum "$work/array/$table" | cut -c1-16), as by one lab run"
done
