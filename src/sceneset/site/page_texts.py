"""The words of the overview and of the pages of findings, versions and selections.

They are apart from `sceneset.site.texts`, which every page has as data for its script.
"""

from sceneset.evaluation.page_texts import TEXTS as EVALUATION
from sceneset.reporting.page_words import SEVERITIES, WORDS, shared_words
from sceneset.schemas.base import Localized

PAGE_TEXTS = {
    **shared_words(
        "subsets_added", "subsets_removed", "scenes_added", "scenes_removed", "not_recorded"
    ),
    "what_it_is": Localized(
        en="Images with masks of persons for semantic segmentation. Every sample is registered "
        "with its scenes, checked, and versioned.",
        zh="用于语义分割的人像图片与标注。每个样本都登记了场景，经过检查，并有版本。",
    ),
    "latest_version": Localized(en="Latest version", zh="最新版本"),
    "no_version": Localized(en="There is no version yet.", zh="还没有版本。"),
    "released_on": Localized(en="released {0}", zh="发布于 {0}"),
    "scenes_used": Localized(en="Scenes with samples", zh="有样本的场景"),
    "scene_heat": Localized(en="Samples of each scene", zh="各场景的样本数"),
    "heat_note": Localized(
        en="Each number leads to its samples. A sample in several scenes counts in each of them.",
        zh="点击数字可查看对应的样本。属于多个场景的样本在每个场景中都计数。",
    ),
    "heat_scale": Localized(en="Color", zh="颜色"),
    "empty_scenes": Localized(
        en="Scenes without samples: {0}",
        zh="没有样本的场景：{0} 个",
    ),
    "growth": Localized(en="Growth over versions", zh="随版本的增长"),
    "growth_chart": Localized(
        en="Samples of each phase over versions", zh="各版本每个阶段的样本数"
    ),
    "attention": Localized(en="What needs attention", zh="需要关注的问题"),
    "nothing_to_do": Localized(en="Nothing needs attention.", zh="没有需要关注的问题。"),
    "rule": Localized(en="Rule", zh="规则"),
    "count": Localized(en="Count", zh="数量"),
    "short_scenes": Localized(en="Scenes short of samples", zh="样本不足的场景"),
    "no_phase_at_all": Localized(
        en="No sample of any scene is in {0}.", zh="所有场景都没有 {0} 样本。"
    ),
    "without_phase": Localized(
        en="Scenes without samples in {1} ({0}):",
        zh="没有 {1} 样本的场景（{0}）：",
    ),
    "few_samples": Localized(
        en="Scenes with less than a quarter of the samples of the median scene, {1} ({0}):",
        zh="样本数少于中位数（{1}）四分之一的场景（{0}）：",
    ),
    "and_more": Localized(
        en="and others: {0}",
        zh="以及其他：{0} 个",
    ),
    "consent": Localized(en="Consent", zh="同意依据"),
    "consent_day": Localized(
        en="compared with the day of version {0}, {1}", zh="与版本 {0} 的日期 {1} 比较"
    ),
    "no_consent": Localized(en="no consent is recorded", zh="没有记录同意依据"),
    "restrictions": Localized(en="Restrictions", zh="限制"),
    "some_samples": Localized(en="{0} (some samples)", zh="{0}（部分样本）"),
    "origin": Localized(en="Vendor or origin", zh="供应商或来源"),
    "consent_until": Localized(en="Consent until", zh="同意有效期"),
    "no_end": Localized(en="no end", zh="无期限"),
    "date": Localized(en="Date", zh="日期"),
    "notes": Localized(en="Notes", zh="说明"),
    "older_versions": Localized(
        en="Older versions: {0}",
        zh="更早的版本：{0} 个",
    ),
    "how_to_get": Localized(en="How to get it", zh="如何获取"),
    "command_clone": Localized(en="The registry, without images", zh="克隆注册表（不含图片）"),
    "command_pull_all": Localized(en="All images and masks", zh="所有图片和标注"),
    "command_pull_scene": Localized(
        en="The images and masks of one scene", zh="一个场景的图片和标注"
    ),
    "command_lookup": Localized(en="What there is of one scene", zh="查询一个场景有什么"),
    # Evaluations
    "evaluations": Localized(en="Evaluations of predictions", zh="预测评估"),
    "evaluation_of": Localized(en="Evaluation: {0}", zh="评估：{0}"),
    "evaluation_run": Localized(en="Run", zh="运行"),
    "evaluation_sources": Localized(en="Sources", zh="来源"),
    "evaluation_iou": EVALUATION["dataset_iou"],
    "evaluation_interval": EVALUATION["interval"],
    "evaluation_mean": EVALUATION["image_iou"],
    "evaluation_left_out": Localized(
        en="Samples left out, because their predictions are missing or can't be used: {0}",
        zh="因预测缺失或无法使用而未计入的样本：{0}",
    ),
    # Findings
    "no_findings": Localized(en="There is no error and no warning.", zh="没有错误，也没有警告。"),
    **{f"severity_{severity}": name for severity, name in SEVERITIES.items()},
    "errors": Localized(en="Errors", zh="错误"),
    "warnings": Localized(en="Warnings", zh="警告"),
    "by_rule": Localized(en="By rule", zh="按规则"),
    "by_subset": Localized(en="By subset", zh="按子数据集"),
    "whole_registry": Localized(en="whole registry", zh="整个注册表"),
    "about_rule": Localized(en="About this rule", zh="关于此规则"),
    "places": Localized(en="Places", zh="位置"),
    "more_places": Localized(
        en="Not listed here: {0}. This command lists all:",
        zh="另有 {0} 条未在此列出。此命令列出全部：",
    ),
    "all_of_rule": Localized(en="This command lists them:", zh="此命令列出它们："),
    "hidden_places": Localized(
        en="About samples that are not shown here: {0}",
        zh="涉及此处不显示的样本：{0} 条",
    ),
    "rule_samples": Localized(en="Samples with this finding", zh="有此问题的样本"),
    "how_to_fix": Localized(en="How to fix:", zh="解决方法："),
    "waived": Localized(en="Accepted by waivers: {0}", zh="已豁免：{0}"),
    "reason": Localized(en="reason:", zh="原因："),
    "pairs": Localized(en="Related images", zh="相关图片"),
    "no_picture": Localized(en="no picture here", zh="此处没有图片"),
    # Versions
    "version_title": Localized(en="Version {0}", zh="版本 {0}"),
    "previous_version": Localized(en="previous version: {0}", zh="上一个版本：{0}"),
    "next_version": Localized(en="next version: {0}", zh="下一个版本：{0}"),
    "step": Localized(en="Step", zh="版本级别"),
    "step_major": Localized(en="major", zh="主版本"),
    "step_minor": Localized(en="minor", zh="次版本"),
    "step_patch": Localized(en="patch", zh="修订"),
    "first_version": Localized(en="first version", zh="第一个版本"),
    "commit": Localized(en="Commit", zh="提交"),
    "state_digest": Localized(en="Digest of the state", zh="状态摘要"),
    "digest": Localized(en="Digest", zh="摘要"),
    "signature": Localized(en="Signature", zh="签名"),
    "signed": Localized(en="the tag is signed (not verified here)", zh="标签已签名（此处未验证）"),
    "unsigned": Localized(en="the tag is not signed", zh="标签未签名"),
    "made_with": Localized(en="Made with", zh="生成方式"),
    "what_changed": WORDS["changes"],
    "since": Localized(en="Since version {0}", zh="与版本 {0} 相比"),
    "no_change": Localized(en="No sample changed.", zh="没有样本变化。"),
    "change_added": Localized(en="Samples added", zh="新增的样本"),
    "change_removed": Localized(en="Samples removed", zh="移除的样本"),
    "change_moved": Localized(en="Samples moved", zh="移动的样本"),
    "change_renamed": Localized(en="Samples renamed", zh="重命名的样本"),
    "change_mask": Localized(en="Masks changed", zh="标注有变化"),
    "change_scenes": Localized(en="Scenes changed", zh="场景有变化"),
    "change_metadata": Localized(en="Metadata changed", zh="元数据有变化"),
    "change_image": Localized(en="Images replaced", zh="图片被替换"),
    "get_version": Localized(en="How to get exactly this version", zh="如何获取此版本"),
    "command_versions": Localized(en="Its record", zh="查看记录"),
    "command_diff": Localized(en="What changed, sample by sample", zh="逐个样本查看变化"),
    "command_site": Localized(en="A catalogue of this version", zh="生成此版本的目录"),
    # Selections
    "selection_all": EVALUATION["all"],
    "selection_weight": Localized(en="Weight in training", zh="训练权重"),
    "selection_cap": Localized(en="At most", zh="最多"),
    "selection_seed": Localized(en="Seed", zh="随机种子"),
    "without_scenes": Localized(en="Without scenes", zh="不含场景"),
    "without_subsets": Localized(en="Without subsets", zh="不含子数据集"),
    "without_stems": Localized(en="Without samples", zh="不含样本"),
    "without_sources": Localized(en="Without sources", zh="不含来源"),
    "without_persons": Localized(en="Without persons", zh="不含人数"),
    "without_rules": Localized(en="Without findings of", zh="不含有以下问题的样本"),
    "members_hidden": Localized(
        en="Not shown here: {0} of {1} samples; they are withdrawn, for internal use, or not "
        "scanned.",
        zh="此处未显示：{1} 个样本中的 {0} 个（已撤回、仅供内部使用或未扫描）。",
    ),
    "selection_problem": Localized(
        en="The selection can't be resolved:",
        zh="无法解析此选集：",
    ),
    "in_versions": Localized(en="In versions", zh="各版本中的情况"),
    "command_selections": Localized(en="All selections", zh="所有选集"),
}
