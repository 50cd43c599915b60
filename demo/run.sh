#!/usr/bin/env bash
# Run the main workflow in a scratch clone: pull, look up, add a subset, derive files, push.
# The checkout itself does not change. Run it with `make demo`.
set -euo pipefail
cd "$(dirname "$0")/.."

here=$PWD
demo=$here/build/demo
name=CustomSeg_Person_20240117_demo-ski
export GIT_AUTHOR_NAME=Demo GIT_AUTHOR_EMAIL=demo@example.com
export GIT_COMMITTER_NAME=Demo GIT_COMMITTER_EMAIL=demo@example.com
export DVC_NO_ANALYTICS=1

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
run() { printf '\033[2m$ %s\033[0m\n' "$*"; "$@"; }

rm -rf "$demo" && mkdir -p "$demo"

step "1. Clone: git downloads the tables, DVC the images"
run git clone --quiet "$here" "$demo/registry"
cd "$demo/registry"
run dvc pull --quiet
find Insta360SemanticSeg -name '*.jpg' | wc -l | xargs printf '%s images pulled from the embedded remote\n'

step "2. Look up scenes"
run sceneset lookup 滑雪 "high jump"

step "3. Add a delivery of images, masks and split files (drawn for this demo)"
run python "$here/demo/draw.py" "$demo/delivery" --images 24 --scene ski --scene surfing --seed 3
run sceneset add "$demo/delivery" --name "$name"

step "4. Derive split files, statistics, the manifest and the document's table"
dvc repro >"$demo/repro.log" 2>&1 || { cat "$demo/repro.log"; exit 1; }
printf '$ dvc repro\n'
grep -E '^(Running stage|Stage)' "$demo/repro.log"
[ "$(grep -c "^Running stage 'scan@" "$demo/repro.log")" = 1 ]
grep -q "^Running stage 'scan@$name'" "$demo/repro.log"
echo "Only the new subset was scanned."

step "5. Show the document's table of the new subset"
run cat "registry/cards/$name.zh.md"

step "6. Look up the scene again, now with the new subset"
run sceneset lookup 滑雪

step "7. Commit, and push the blobs to the embedded remote of the clone"
git add --all
run git commit --quiet --message "Add $name"
run dvc push --quiet
run dvc status --cloud --quiet && echo "Every blob is on the remote."
git add --all && git commit --quiet --message "Blobs of $name"

step "Done"
cat <<END
The demo pulled a clone, looked up scenes, checked and added a delivery, derived all files and
pushed the blobs. Your checkout has not changed; the clone is in build/demo/registry. Try there:

  source $here/.venv/bin/activate && cd build/demo/registry
  sceneset scenes
  sceneset show demo-ski
  sceneset lookup surfing --phase train --stems
  sceneset lookup ski --samples --json
  sceneset check
END
