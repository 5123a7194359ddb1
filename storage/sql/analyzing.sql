-- name: grown
-- Which of $tables, or of their leaves, have $times the pages that PostgreSQL planned for when it last looked at them, and
-- more than it takes an unknown table to have ($unknown).
select c.relname as name, greatest(c.reltuples, 0)::bigint as known
  from pg_class c
  left join pg_inherits i on i.inhrelid = c.oid
 where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
   and coalesce(i.inhparent, c.oid) = any(array(select to_regclass(name) from unnest($tables::text[]) as name)::oid[])
   and pg_relation_size(c.oid) / current_setting('block_size')::integer
       > greatest($times::integer * c.relpages, $unknown::integer)
 order by c.relname
