"""Sections of a data card for its readers: how to get the state, and how it was made."""

import json
import shlex

from sceneset.reporting.data_card import DataCard
from sceneset.reporting.data_card_blocks import Block, Facts, Program, Section, Text, words

_PLACEHOLDER = "REPOSITORY"


def access(card: DataCard, language: str) -> Section:
    """Return the commands that get the state."""
    found = card.access
    repo = found.repo or _PLACEHOLDER
    rev = f" --rev {found.rev}" if found.rev else ""
    shell = [
        f"$ sceneset pull --repo {shlex.quote(repo)}{rev} --to people",
        f"$ sceneset export coco --repo {shlex.quote(repo)}{rev} --to people-coco",
    ]
    folder = f"people/{found.folder}" if found.folder else "people"
    clone = [f"$ git clone {shlex.quote(found.url or _PLACEHOLDER)} people"]
    clone += [f"$ cd {shlex.quote(folder)}"]
    clone += [f"$ git checkout {found.tag}"] if found.tag else []
    clone += ["$ dvc pull"]
    opened = json.dumps(repo, ensure_ascii=False)
    opened += f', rev="{found.rev}"' if found.rev else ""
    python = ["from sceneset import Registry", "", f"registry = Registry.open({opened})"]
    python += ['registry.pull(to="people")']
    blocks: list[Block] = []
    if not found.repo:
        blocks.append(Text(words(
            language,
            f"Replace {_PLACEHOLDER} with the address of the git repository.",
            f"请将 {_PLACEHOLDER} 换成 git 仓库的地址。",
        )))  # fmt: skip
    blocks += [
        Text(words(
            language,
            "The images and masks alone, verified, for training:",
            "仅下载图片和标注（逐个校验），用于训练：",
        )),
        Program("console", shell),
        Text(words(
            language,
            "Name scenes after pull or export for a part. Samples for internal use are left "
            "out with a URL; the remote with the images needs your trust at its first use.",
            "在 pull 或 export 之后写场景名可只取一部分。用 URL 读取时不含仅供内部使用的样本；"
            "首次使用图片所在的远端前须确认信任。",
        )),
        Text(words(language, "The whole registry:", "整个注册表：")),
        Program("console", clone),
        Text(words(language, "In Python:", "在 Python 中：")),
        Program("python", python),
    ]  # fmt: skip
    return Section("access", words(language, "How to get it", "如何获取"), blocks)


def made(card: DataCard, language: str) -> Section:
    """Return what made the version, and what the numbers of the card are computed from."""
    record, state = card.state.record, card.state
    facts: list[tuple[str, str]] = []
    if record:
        if record.made_by:
            facts += [
                ("sceneset", record.made_by.sceneset),
                (words(language, "command", "命令"), record.made_by.command),
            ]
        facts.append((words(language, "state (MD5 of the manifest)", "状态（清单的 MD5）"),
                      record.state))  # fmt: skip
        not_signed = words(language, "no", "否")
        signed = words(language, "yes; verify it with", "是；校验命令")
        facts.append((
            words(language, "signed tag", "已签名的标签"),
            f"{signed} sceneset verify --signed" if state.is_signed else not_signed,
        ))  # fmt: skip
    text = words(
        language,
        "All numbers of this card are computed from the entries, tags and scans of the state.",
        "本卡片的全部数字由该状态的条目、标签和扫描结果计算得出。",
    )
    blocks: list[Block] = [Text(text)]
    if facts:
        blocks.append(Facts(facts))
    return Section("made", words(language, "How it was made", "制作方式"), blocks)
