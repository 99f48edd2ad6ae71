\ir nested/more.sql
\i scripts/lint/nested/more.sql
\if :{?x}
\i :dir/x.sql
\endif
