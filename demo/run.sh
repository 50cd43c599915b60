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

# English, and the same in Chinese: shown is the language that sceneset itself would print.
say() { case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in zh*) printf '%s' "$2" ;; *) printf '%s' "$1" ;; esac; }
step() { printf '\n\033[1m== %s\033[0m\n' "$(say "$@")"; }
run() {
  local word line='$'
  for word; do case "$word" in *[[:space:]]*) line+=" \"$word\"" ;; *) line+=" $word" ;; esac; done
  printf '\033[2m%s\033[0m\n' "$line"
  "$@"
}

rm -rf "$demo" && mkdir -p "$demo"

step "1. Clone: git downloads the tables, DVC the images" "1. 克隆：git 取得表格，DVC 取得图片"
run git clone --quiet "$here" "$demo/registry"
cd "$demo/registry"
run dvc pull --quiet
find Insta360SemanticSeg -name '*.jpg' | wc -l |
  xargs printf "$(say '%s images pulled from the embedded remote' '从内置的远端取得 %s 张图片')\n"

step "2. Look up scenes" "2. 检索场景"
run sceneset lookup 滑雪 "high jump"

step "3. Add a delivery of images, masks and split files (drawn for this demo)" \
  "3. 添加一批交付数据：图片、标注和 split 文件（为此演示绘制）"
run python "$here/demo/draw.py" "$demo/delivery" --images 24 --scene ski --scene surfing --seed 3
run sceneset add "$demo/delivery" --name "$name"

step "4. Derive split files, statistics, the manifest and the document's table" \
  "4. 生成 split 文件、统计、清单和数据集文档的表格"
dvc repro >"$demo/repro.log" 2>&1 || { cat "$demo/repro.log"; exit 1; }
printf '$ dvc repro\n'
grep -E '^(Running stage|Stage)' "$demo/repro.log"
[ "$(grep -c "^Running stage 'scan@" "$demo/repro.log")" = 1 ]
grep -q "^Running stage 'scan@$name'" "$demo/repro.log"
say "Only the new subset was scanned." "只扫描了新的子数据集。" && echo

step "5. Show the document's table of the new subset" "5. 查看新子数据集在数据集文档中的表格"
run cat "registry/cards/$name.zh.md"

step "6. Look up the scene again, now with the new subset" "6. 再次检索场景，结果已含新的子数据集"
run sceneset lookup 滑雪

step "7. Commit, and push the blobs to the embedded remote of the clone" \
  "7. 提交，并把 blob 推送到克隆中内置的远端"
git add --all
run git commit --quiet --message "Add $name"
run dvc push --quiet
run dvc status --cloud --quiet
say "Every blob is on the remote." "所有 blob 都在远端。" && echo
git add --all && git commit --quiet --message "Blobs of $name"

step "Done" "完成"
say "The demo pulled a clone, looked up scenes, checked and added a delivery, derived all
files and pushed the blobs. Your checkout has not changed; the clone is in
build/demo/registry. Try there:" "演示取得了一个克隆，检索了场景，检查并添加了一批交付数据，生成了所有文件，
并推送了 blob。你的检出没有变化；克隆在 build/demo/registry 中。可以在那里试试："
cat <<END


  source $(printf '%q' "$here")/.venv/bin/activate && cd build/demo/registry
  sceneset scenes
  sceneset show demo-ski
  sceneset lookup surfing --phase train --stems
  sceneset lookup ski --samples --json
  sceneset check
END
