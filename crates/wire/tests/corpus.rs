//! Runs every committed fuzz input through the check that the fuzz targets run, so that a finding
//! stays found on machines without a fuzzer.

mod oracle;

use std::path::Path;

use redora_wire::Signal;

#[test]
fn every_committed_input_is_read_as_prost_reads_it() {
    for signal in Signal::ALL {
        let corpus =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(signal.as_str());
        let mut files = 0;
        for entry in std::fs::read_dir(&corpus).expect("a corpus for each signal") {
            let path = entry.expect("a readable directory").path();
            let request = std::fs::read(&path).expect("a readable input");
            let outcome = std::panic::catch_unwind(|| oracle::check(signal, &request));
            assert!(outcome.is_ok(), "{} is read differently", path.display());
            files += 1;
        }
        assert!(files >= 10, "only {files} inputs for {}", signal.as_str());
    }
}
