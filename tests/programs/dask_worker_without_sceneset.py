"""Make `import sceneset.scanning.dask_pool` fail in a dask worker: a module for --preload."""

import sys

sys.modules["sceneset.scanning.dask_pool"] = None
