\set ON_ERROR_STOP on
\set code 'ABC'
\echo it's here
SELECT :'code' AS code, :"code", now()::date, a[1:2] FROM t LIMIT :n;
SELECT format('DROP TABLE %I', x) FROM t \gexec
COPY t FROM stdin;
1	it's
\.
\copy t to 'x;y.csv'
DO $$ BEGIN PERFORM 1; END $$;
VACUUM (ANALYZE) t;
