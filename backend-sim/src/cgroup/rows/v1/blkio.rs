//! Files of the blkio controller, which v2 calls io.

use standin::Controller;

use crate::cgroup::rows::Kind::{Command, Control, Derived, Fixed, Stored};
use crate::cgroup::rows::{Class, Kind, Row};
use crate::cgroup::setting::BFQ_WEIGHT;
use crate::cgroup::v1::blkio::{
    READ_BYTES, READS, WRITES, WRITTEN_BYTES, reset, show_counts, show_default_weight, show_rules,
    store_default_weight, store_rule,
};
use crate::profile::Release::V6_18;

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Io), kind)
}

const COUNTS: Kind = Derived(show_counts);

/// No disk has the BFQ scheduler, so it counts nothing.
const NO_COUNTS: Kind = Fixed("Total 0\n");

pub(super) const ROWS: &[Row] = &[
    // The BFQ scheduler is built into the 6.18 kernel; in the others it is a module that is not loaded.
    row("blkio.bfq.io_service_bytes", NO_COUNTS).since(V6_18),
    row("blkio.bfq.io_service_bytes_recursive", NO_COUNTS).since(V6_18),
    row("blkio.bfq.io_serviced", NO_COUNTS).since(V6_18),
    row("blkio.bfq.io_serviced_recursive", NO_COUNTS).since(V6_18),
    row("blkio.bfq.weight", Stored(&BFQ_WEIGHT)).not_on_root().since(V6_18),
    row("blkio.bfq.weight_device", Control(show_default_weight, store_default_weight))
        .not_on_root()
        .since(V6_18),
    row("blkio.reset_stats", Command(reset)),
    row("blkio.throttle.io_service_bytes", COUNTS),
    row("blkio.throttle.io_service_bytes_recursive", COUNTS),
    row("blkio.throttle.io_serviced", COUNTS),
    row("blkio.throttle.io_serviced_recursive", COUNTS),
    row(
        "blkio.throttle.read_bps_device",
        Control(show_rules::<READ_BYTES>, store_rule::<READ_BYTES>),
    ),
    row("blkio.throttle.read_iops_device", Control(show_rules::<READS>, store_rule::<READS>)),
    row(
        "blkio.throttle.write_bps_device",
        Control(show_rules::<WRITTEN_BYTES>, store_rule::<WRITTEN_BYTES>),
    ),
    row("blkio.throttle.write_iops_device", Control(show_rules::<WRITES>, store_rule::<WRITES>)),
];
