-- Held until the transaction ends. 0x6f6e6861 is `onha`; items' own locks have one number, not two.
SELECT pg_advisory_xact_lock(1869506657, 1)
