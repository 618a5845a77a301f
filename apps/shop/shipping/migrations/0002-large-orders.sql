-- A cart may be worth more than 2^31 cents.
alter table quote alter column subtotal type bigint;
