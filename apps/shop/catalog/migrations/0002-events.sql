-- The search reacts to events now: there is no list of what it has yet to be told any more.
drop table search_change;
