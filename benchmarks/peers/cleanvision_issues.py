"""CleanVision: find dark, bright, blurry, odd and near-duplicate images; no masks."""

import sys

from cleanvision import Imagelab

lab = Imagelab(data_path=f"{sys.argv[1]}/img_dir")
lab.find_issues(verbose=False)
assert len(lab.issues)
