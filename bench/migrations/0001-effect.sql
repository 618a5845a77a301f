create table effect (kind text not null, number integer not null, amount integer not null);
