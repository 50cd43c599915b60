"""The tables and views of the index of all samples, `.sceneset/index.db`.

People and other programs may read the file: the views `samples`, `scenes` and `subsets` and the
full-text table `search` are meant for them. The other tables may change with ``FORMAT``.
"""

FORMAT = 1
"""Version of the tables and of what is in them; an index of another version is built again."""

NUMBER_SHIFT = 32
"""The id of a sample is the number of its subset, shifted by this, plus its place there."""

PERSONS = ("unknown", "single", "multi")
"""The persons of a sample in one scene; the columns have their numbers."""

RANGES = ("width", "height", "person_share", "ignore_share", "parts", "holes", "contrast")
"""Numbers of a sample that a query can limit. Shares are between 0 and 1; sizes are as shown."""

TABLES = """
CREATE TABLE file (path TEXT PRIMARY KEY, signature TEXT, md5 TEXT) WITHOUT ROWID;
CREATE TABLE scene (key TEXT PRIMARY KEY, place INTEGER, en TEXT, zh TEXT, aliases TEXT)
  WITHOUT ROWID;
CREATE TABLE subset (number INTEGER PRIMARY KEY, name TEXT UNIQUE, kind TEXT, category TEXT,
  description_en TEXT, description_zh TEXT, licence TEXT, vendor TEXT, suffix TEXT,
  images INTEGER, withdrawn INTEGER, internal INTEGER, state TEXT);
CREATE TABLE sample (id INTEGER PRIMARY KEY, subset INTEGER, phase TEXT, stem TEXT, scenes TEXT,
  persons TEXT, boxes INTEGER, source TEXT, width INTEGER, height INTEGER, person_share REAL,
  ignore_share REAL, parts INTEGER, holes INTEGER, contrast INTEGER, straight INTEGER,
  orientation INTEGER, image_md5 BLOB, mask_md5 BLOB, findings TEXT);
CREATE UNIQUE INDEX sample_key ON sample (subset, phase, stem);
CREATE TABLE sample_scene (scene TEXT, sample INTEGER, persons TEXT,
  PRIMARY KEY (scene, sample, persons)) WITHOUT ROWID;
CREATE TABLE sample_finding (rule TEXT, sample INTEGER, PRIMARY KEY (rule, sample)) WITHOUT ROWID;
CREATE TABLE counted (subset INTEGER, phase TEXT, scene TEXT, persons TEXT, samples INTEGER,
  PRIMARY KEY (subset, phase, scene, persons)) WITHOUT ROWID;
CREATE TABLE subset_column (subset INTEGER, name TEXT, data BLOB);
CREATE UNIQUE INDEX subset_column_key ON subset_column (subset, name);
CREATE VIRTUAL TABLE search USING fts5 (stem, scenes, source, subset, tokenize = 'unicode61');
CREATE VIEW samples AS SELECT sample.id, subset.name AS subset, phase, stem, scenes, persons, boxes,
  source, width, height, person_share, ignore_share, parts, holes, contrast, straight,
  orientation, findings, kind, 'img_dir/' || phase || '/' || stem || suffix AS image,
  'ann_dir/' || phase || '/' || stem || '.png' AS mask,
  lower(hex(image_md5)) AS image_md5, lower(hex(mask_md5)) AS mask_md5
  FROM sample JOIN subset ON subset.number = sample.subset;
CREATE VIEW counts AS SELECT subset.name AS subset, phase, scene, persons, samples
  FROM counted JOIN subset ON subset.number = counted.subset;
CREATE VIEW scenes AS SELECT key, en, zh, aliases,
  coalesce((SELECT sum(samples) FROM counted WHERE scene = key AND persons = 'any'), 0) AS samples,
  coalesce((SELECT sum(samples) FROM counted WHERE scene = key AND persons = 'single'), 0)
    AS single,
  coalesce((SELECT sum(samples) FROM counted WHERE scene = key AND persons = 'multi'), 0) AS multi
  FROM scene ORDER BY place;
CREATE VIEW subsets AS SELECT name, kind, category, images AS samples,
  (SELECT sum(samples) FROM counted WHERE subset = number AND scene = 'total' AND persons = 'any'
    AND phase = 'train') AS train,
  (SELECT sum(samples) FROM counted WHERE subset = number AND scene = 'total' AND persons = 'any'
    AND phase = 'val') AS val,
  (SELECT sum(samples) FROM counted WHERE subset = number AND scene = 'total' AND persons = 'any'
    AND phase = 'test') AS test,
  withdrawn, internal, licence, vendor, description_en, description_zh FROM subset ORDER BY name;
"""
