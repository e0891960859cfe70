-- Sums of all checkpoints together stand under the checkpoint 00000000-0000-0000-0000-000000000000. Those of days that are
-- summed already are due; intake makes them in its first seconds.
INSERT INTO customs.sum_due (checkpoint_id, day)
SELECT DISTINCT '00000000-0000-0000-0000-000000000000'::uuid, day FROM customs.sum WHERE grain = 'd';
