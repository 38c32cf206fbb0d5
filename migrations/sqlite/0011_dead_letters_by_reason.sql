-- Those of one reason, among a million of others, and how many they are and since when, without a look
-- at the letters themselves.
CREATE INDEX dead_letters_by_reason ON dead_letters (reason, state, id, died_at);
