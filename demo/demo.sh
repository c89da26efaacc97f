#!/usr/bin/env bash
# The whole way on a real model: base -> training pairs -> breaker -> evaluation -> report -> gate.
# Called by `make demo`. Every step finds what an earlier call has left and does not make it again.
set -euo pipefail

out=out/demo
runs=runs/demo
evaluate() { # MODEL RUN
    cbeval run --model "$1" --out "$2" --attack direct --attack prefill --max-new-tokens 64 \
        --suite harmbench:standard --suite smoke ${optional[@]+"${optional[@]}"}
}
step() { printf '\n== %s\n' "$*"; }

step "The model: SmolLM2-135M-Instruct"
model=$(cbeval assets pull smollm2-135m)

# XSTest and AdvBench live in public repositories that not every machine can reach.
optional=()
policies=(demo/release.yaml)
if cbeval assets pull xstest >/dev/null; then
    optional+=(--suite xstest:safe)
    policies+=(demo/over-refusal.yaml)
fi
if cbeval assets pull advbench >/dev/null; then
    optional+=(--suite advbench)
fi

# A breaker of other prompts or another recipe is another breaker: what it left is taken away, not mixed in.
recipe=$(cat cbtrain/data/*.py cbtrain/data/prompts/* cbtrain/*.py demo/train.yaml | cksum)
if [ "$recipe" != "$(cat $out/recipe 2>/dev/null)" ]; then
    rm -rf $out $runs/cb
    mkdir -p $out
    echo "$recipe" >$out/recipe
fi

step "Training pairs, answered by the model itself"
test -f $out/data/retain.jsonl || cbtrain data --model "$model" --out $out/data

step "The circuit breaker"
grep -qs '"status": "ok"' $out/adapter/training.json || rm -rf $out/adapter && test -d $out/adapter || cbtrain train --model "$model" --data $out/data --out $out/adapter --config demo/train.yaml
test -f $out/cb/config.json || cbtrain merge $out/adapter --out $out/cb

step "Base and breaker, answered and judged"
evaluate smollm2-135m $runs/base
evaluate $out/cb $runs/cb

step "What changed"
cbeval compare $runs/base $runs/cb

step "May it be released?"
gate=0
for policy in "${policies[@]}"; do
    name=$(basename "$policy" .yaml)
    cbeval gate $runs/cb --baseline $runs/base --policy "$policy" --json "$runs/$name.json" --junit "$runs/$name.xml" || { code=$?; test $code -eq 100 || exit $code; gate=100; }
done

step "The report: reports/demo.html"
cbeval report $runs/cb --baseline $runs/base --gate $runs/release.json --output reports/demo.html
# A verdict is a result of the demo, not a failure of it; in a release pipeline the code of `cbeval gate` decides.
echo "exit code of the gate: $gate"
