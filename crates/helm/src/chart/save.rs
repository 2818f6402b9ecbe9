//! Packs charts as `helm package` does: `Chart.yaml` and `Chart.lock` are written anew, all else as it is.

use std::io::Write as _;

use serde_json::Value;

use super::Chart;
use crate::{HelmError, yaml};

/// What Helm marks its archives with (gzip's extra field and comment).
const EXTRA: &[u8] = b"+aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";
const COMMENT: &str = "Helm";

impl Chart {
    /// The chart with its subcharts as a `.tgz`; files get this time (seconds since 1970).
    ///
    /// # Errors
    /// Where a name or a path does not fit into an archive, or the schema is no JSON.
    pub fn pack(&self, time: u64) -> Result<Vec<u8>, HelmError> {
        let gzip = flate2::GzBuilder::new().extra(EXTRA).comment(COMMENT);
        let mut archive = tar::Builder::new(gzip.write(Vec::new(), flate2::Compression::default()));
        self.write(&mut archive, "", time)?;
        let failed =
            |error: std::io::Error| HelmError::chart(self.name(), format!("cannot be packed: {error}"));
        let mut gzip = archive.into_inner().map_err(failed)?;
        gzip.flush().map_err(failed)?;
        gzip.finish().map_err(failed)
    }

    /// The name that Helm gives to the packed chart.
    pub fn package_name(&self) -> String {
        format!("{}-{}.tgz", self.name(), self.metadata.version)
    }

    /// `Chart.yaml` as Helm writes it.
    pub fn metadata_yaml(&self) -> String {
        yaml::write(&self.metadata.to_json())
    }

    fn write<W: std::io::Write>(
        &self,
        archive: &mut tar::Builder<W>,
        prefix: &str,
        time: u64,
    ) -> Result<(), HelmError> {
        let base = format!("{prefix}{}", self.name());
        let mut add = |name: &str, data: &[u8]| -> Result<(), HelmError> {
            let mut header = tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(time);
            archive
                .append_data(&mut header, format!("{base}/{name}"), data)
                .map_err(|error| HelmError::chart(self.name(), format!("cannot pack {name}: {error}")))
        };
        let mut metadata = self.metadata.to_json();
        if self.metadata.api_version == "v1"
            && let Value::Object(fields) = &mut metadata
        {
            // The older kind of chart has them in requirements.yaml.
            fields.remove("dependencies");
        }
        add("Chart.yaml", yaml::write(&metadata).as_bytes())?;
        if self.metadata.api_version == "v2"
            && let Some(lock) = &self.lock
        {
            add("Chart.lock", yaml::write(lock).as_bytes())?;
        }
        if let Some(text) = &self.values_text {
            add("values.yaml", text)?;
        }
        if let Some(schema) = &self.schema {
            if serde_json::from_slice::<Value>(schema).is_err() {
                return Err(HelmError::chart(self.name(), "invalid JSON in values.schema.json"));
            }
            add("values.schema.json", schema)?;
        }
        for file in self.templates.iter().chain(&self.files) {
            add(&file.name, &file.data)?;
        }
        for subchart in &self.dependencies {
            subchart.write(archive, &format!("{base}/charts/"), time)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::File;
    use super::*;

    fn file(name: &str, text: &str) -> File {
        File { name: name.to_owned(), data: text.as_bytes().into() }
    }

    #[test]
    fn a_packed_chart_reads_back_as_it_was() {
        let chart = Chart::from_files(vec![
            file(
                "Chart.yaml",
                "apiVersion: v2\nname: a\nversion: 1.2.3\ndependencies: [{name: b, version: 1.x}]\n",
            ),
            file("values.yaml", "# words\nx: 1\n"),
            file("templates/a.yaml", "a: {{ .Values.x }}\n"),
            file("crds/c.yaml", "kind: CustomResourceDefinition\n"),
            file("charts/b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n"),
            file("charts/b/templates/b.yaml", "b: 1\n"),
        ])
        .unwrap();
        assert_eq!(chart.package_name(), "a-1.2.3.tgz");
        let packed = chart.pack(1_700_000_000).unwrap();
        let back = Chart::load_package(&packed, "a-1.2.3.tgz").unwrap();
        assert_eq!(back.metadata, chart.metadata);
        assert_eq!(back.templates, chart.templates);
        assert_eq!(back.files, chart.files);
        assert_eq!(back.values_text, chart.values_text);
        assert_eq!(back.dependencies[0].templates, chart.dependencies[0].templates);
        assert_eq!(packed, chart.pack(1_700_000_000).unwrap(), "the same chart gives the same bytes");
    }
}
