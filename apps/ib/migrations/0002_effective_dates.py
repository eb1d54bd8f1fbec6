"""No partner has two parents, two plans, no client two partners at one instant; and the tree has no circle.

Built with what a bare PostgreSQL has: a range type over uuid replaces the btree_gist extension.
"""

from django.db import migrations

EXCLUDE = """
ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING gist (
    ib_uuidrange({column}, {column}, '[]') WITH &&,
    tstzrange(valid_from, valid_to, '[)') WITH &&
);
"""
DROP = "ALTER TABLE {table} DROP CONSTRAINT {name};"
TABLES = [
    ("ib_treeedge", "child_id", "ib_edge_one_parent_at_a_time"),
    ("ib_attribution", "client_id", "ib_attribution_one_at_a_time"),
    ("ib_planassignment", "partner_id", "ib_assignment_one_at_a_time"),
]

NO_CYCLE = """
CREATE FUNCTION ib_edge_no_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        WITH RECURSIVE above(node, during) AS (
            SELECT NEW.parent_id, tstzrange(NEW.valid_from, NEW.valid_to, '[)')
            UNION
            SELECT edge.parent_id, above.during * tstzrange(edge.valid_from, edge.valid_to, '[)')
            FROM above JOIN ib_treeedge edge
              ON edge.child_id = above.node AND edge.id <> NEW.id
             AND above.during && tstzrange(edge.valid_from, edge.valid_to, '[)')
        )
        SELECT 1 FROM above WHERE node = NEW.child_id
    ) THEN
        RAISE EXCEPTION 'partner % would stand above itself', NEW.child_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ib_edge_no_cycle';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ib_edge_no_cycle BEFORE INSERT OR UPDATE ON ib_treeedge
    FOR EACH ROW EXECUTE FUNCTION ib_edge_no_cycle();
"""


class Migration(migrations.Migration):
    dependencies = [("ib", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE TYPE ib_uuidrange AS RANGE (subtype = uuid);", "DROP TYPE ib_uuidrange;"
        ),
        *[
            migrations.RunSQL(
                EXCLUDE.format(table=table, column=column, name=name),
                DROP.format(table=table, name=name),
            )
            for table, column, name in TABLES
        ],
        migrations.RunSQL(
            NO_CYCLE,
            "DROP TRIGGER ib_edge_no_cycle ON ib_treeedge; DROP FUNCTION ib_edge_no_cycle();",
        ),
    ]
