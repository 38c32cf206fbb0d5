-- For the console's charts: what all processes together counted in one stretch of time (`step` in
-- seconds). Every process adds to the same row, so there are no more rows than stretches.
CREATE TABLE rollups (
    step   integer NOT NULL,
    at     timestamptz NOT NULL,
    counts jsonb NOT NULL,
    PRIMARY KEY (step, at)
) WITH (fillfactor = 50);

-- Which processes are there: each says so again and again.
CREATE TABLE processes (
    id      uuid PRIMARY KEY,
    role    text NOT NULL,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);
