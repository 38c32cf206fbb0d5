SELECT matter,
       (extract(epoch FROM began) * 1000000)::bigint,
       (extract(epoch FROM told_at) * 1000000)::bigint
FROM alerts
ORDER BY matter
