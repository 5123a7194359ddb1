-- == A database that was restored, or promoted ==
alter table campaigns drop column restored_at, drop column left_out_before;
drop function database_moved;
alter table organizations drop column moved_to, drop column moved_at, drop column database_identity;
drop function database_identity;
-- == Limits on people ==
drop table place_counts, places;
