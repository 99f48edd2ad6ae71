\set ON_ERROR_STOP 1
\ir nested/more.sql
\i nested/more.sql
