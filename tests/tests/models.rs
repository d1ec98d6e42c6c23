//! Models against reality: the machine's numbers are as near to a real kernel's as `fixtures/measured.toml` says.

use std::fmt::Write;

use standin_tests::measured::{self, Measured};

/// A line of the table.
fn line(row: &Measured, machine: f64) -> String {
    let real: Vec<String> = row.real.iter().map(|real| format!("{real:.3}")).collect();
    format!(
        "{:<28} {:<5} real {} machine {machine:.3} tolerance {:.3}",
        row.name,
        row.kernel,
        real.join(" "),
        row.tolerance
    )
}

#[test]
fn the_machine_is_as_near_to_real_kernels_as_the_table_says() {
    let (mut table, mut far) = (String::new(), String::new());
    for row in measured::all() {
        let machine = row.on_machine().unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let text = line(&row, machine);
        let _ = writeln!(table, "{text}");
        if row.distance(machine) > row.tolerance {
            let _ = writeln!(far, "{text}: {}", row.why);
        }
    }
    println!("{table}");
    assert!(far.is_empty(), "too far from what was measured:\n{far}");
}

#[test]
fn a_tolerance_is_not_wider_than_what_it_is_about() {
    for row in measured::all() {
        let greatest = row.real.iter().copied().fold(0.0, f64::max);
        assert!(row.tolerance <= greatest.max(1e-9), "{}: {}", row.name, row.tolerance);
    }
}
