-- What Onhand's own alerts have told, for as long as it lasts: a process that starts anew goes on from
-- there.
CREATE TABLE alerts (
    matter  text COLLATE "C" PRIMARY KEY,
    began   timestamptz NOT NULL,
    told_at timestamptz NOT NULL
);
