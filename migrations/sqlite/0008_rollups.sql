-- For the console's charts: what all processes together counted in one stretch of time (`step` in
-- seconds). Every process adds to the same row, so there are no more rows than stretches.
CREATE TABLE rollups (
    step   integer NOT NULL,
    at     integer NOT NULL,
    counts text NOT NULL,
    PRIMARY KEY (step, at)
) STRICT, WITHOUT ROWID;

-- Which processes are there: each says so again and again.
CREATE TABLE processes (
    id      text PRIMARY KEY,
    role    text NOT NULL,
    seen_at integer NOT NULL
) STRICT, WITHOUT ROWID;
