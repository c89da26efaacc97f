#!/usr/bin/env bash
# kill -9 twice in the middle of a real vLLM run, then the same command again: the files must equal an uninterrupted run.
# Run in an empty folder with cbeval on the PATH; about three minutes on 2 cores. Last result: reports/README.md.
set -u
mkdir k9
export CBEVAL_NO_CACHE=1
R="cbeval run --model smollm2-135m --suite harmbench-val:standard --suite smoke --attack direct --attack prefill --max-new-tokens 48 --chunk-size 32"
$R --out k9/whole > k9/whole.log 2>&1; echo whole $? $(wc -l < k9/whole/completions.jsonl)
for kill in 1 2; do
  $R --out k9/cut > k9/cut$kill.log 2>&1 & pid=$!
  for i in $(seq 1 600); do n=$(cat k9/cut/completions.jsonl 2>/dev/null | wc -l); [ "$n" -ge $((kill*32)) ] && break; sleep 0.1; done
  sleep 1.$kill; kill -9 $pid; wait $pid 2>/dev/null; cp k9/cut/completions.jsonl k9/after$kill.jsonl; echo killed at $(wc -l < k9/after$kill.jsonl) lines
done
$R --out k9/cut > k9/cut3.log 2>&1; echo resumed $? $(wc -l < k9/cut/completions.jsonl)
for f in cases.jsonl completions.jsonl judgements/outcome.jsonl summary.json; do cmp k9/whole/$f k9/cut/$f && echo same $f; done
for k in 1 2; do python3 -c "
a=open('k9/after$k.jsonl','rb').read(); b=open('k9/cut/completions.jsonl','rb').read(); print('synced lines kept', b.startswith(a[:a.rfind(b'\n')+1]))"; done
python3 -c "
import json; ids=[json.loads(l)['case_id'] for l in open('k9/cut/completions.jsonl')]; print('twice', len(ids)-len(set(ids)))"
