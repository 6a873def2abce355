"""Column types: how a logical value is kept, sent, compared and shown, on each engine.

Logical values in Python: str, int, bool, float, Decimal, date, time, aware datetime, ids as lower-case text, JSON.

| kind      | PostgreSQL       | SQLite                     | in JSON out of the database        |
|-----------|------------------|----------------------------|------------------------------------|
| text      | text COLLATE "C" | TEXT                       | string                             |
| integer   | integer          | INTEGER                    | number                             |
| bigint    | bigint           | INTEGER                    | number                             |
| float     | double precision | REAL                       | number, shortest form              |
| decimal   | numeric(18,s)    | INTEGER, scaled by 10^s    | string with all digits of the scale|
| boolean   | boolean          | INTEGER 0/1                | true, false                        |
| date      | date             | TEXT, ISO 8601             | string                             |
| time      | time(6)          | TEXT, ISO 8601             | string                             |
| timestamp | timestamptz      | TEXT, `base.clock` form    | string                             |
| uuid      | uuid             | TEXT                       | string                             |
| json      | json             | TEXT                       | the value                          |
| texts     | text[]           | TEXT, a JSON array         | array of strings                   |
"""
