-- == Limits on people ==
drop table place_counts, places;
