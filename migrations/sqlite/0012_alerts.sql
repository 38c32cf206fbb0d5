-- What Onhand's own alerts have told, for as long as it lasts: a process that starts anew goes on from
-- there.
CREATE TABLE alerts (
    matter  text PRIMARY KEY,
    began   integer NOT NULL,
    told_at integer NOT NULL
) STRICT, WITHOUT ROWID;
