//! Gold tables as TMDL: tabs for indentation, `///` for descriptions, no comments.

use super::definition::{GoldColumn, GoldKind, GoldTable};
use super::name::{lineage_tag, quoted};
use super::settings::StorageMode;

/// Marks a generated table in its file.
pub(super) const GENERATED: &str = "annotation GeneratedBy = cargo xtask powerbi";

/// Tables written by hand, in the order of the fields list.
const BY_HAND: [&str; 4] = ["Key Figures", "Date", "Funnel Step", "Refusal Reason"];

/// `model.tmdl`: settings of the model and the list of its tables.
pub(super) fn list(tables: &[GoldTable]) -> String {
    let mut text = String::from(
        "model Model\n\
         \tculture: en-US\n\
         \tdefaultPowerBIDataSourceVersion: powerBI_V3\n\
         \tdiscourageImplicitMeasures\n\
         \tsourceQueryCulture: en-US\n\
         \n\
         annotation __PBI_TimeIntelligenceEnabled = 0\n\n",
    );
    let generated = tables
        .iter()
        .map(GoldTable::title)
        .chain(["Currency".to_owned()]);
    for title in BY_HAND.map(str::to_owned).into_iter().chain(generated) {
        text.push_str(&format!("ref table {}\n", quoted(&title)));
    }
    text
}

/// The TMDL file of a gold table.
pub(super) fn table(table: &GoldTable, mode: StorageMode) -> String {
    let title = table.title();
    let name = quoted(&title);
    let mut text = format!(
        "/// {}\ntable {name}\n\tlineageTag: {}\n",
        table.description,
        lineage_tag(&title)
    );
    for entry in &table.columns {
        text.push_str(&column(&title, entry));
    }
    text.push_str(&format!(
        "\n\tpartition {name} = m\n\t\tmode: {}\n\t\tsource =\n",
        mode.tmdl()
    ));
    for step in query(&table.name) {
        text.push_str(&format!("\t\t\t\t{step}\n"));
    }
    text.push_str(&format!("\n\t{GENERATED}\n"));
    text
}

fn column(table: &str, column: &GoldColumn) -> String {
    let title = super::name::title(&column.name);
    let mut text = format!(
        "\n\t/// {}\n\tcolumn {}\n",
        column.description,
        quoted(&title)
    );
    let mut property = |line: String| text.push_str(&format!("\t\t{line}\n"));
    property(format!("dataType: {}", column.kind.tmdl()));
    if is_hidden(column) {
        property("isHidden".to_owned());
    }
    if let Some(format) = column.kind.format() {
        property(format!("formatString: {format}"));
    }
    property(format!(
        "lineageTag: {}",
        lineage_tag(&format!("{table}/{title}"))
    ));
    property("summarizeBy: none".to_owned());
    property(format!("sourceColumn: {}", column.name));
    text
}

/// Readers see what they group and filter by. Numbers reach them through measures, which know how to add them up, and days
/// and currencies through the tables that filter all others.
fn is_hidden(column: &GoldColumn) -> bool {
    let is_number = matches!(column.kind, GoldKind::Int64 | GoldKind::Float64);
    is_number || column.kind == GoldKind::Date || column.name == "currency"
}

/// The M query of a table. Call and navigation stand in one query: separate ones run into BigQuery's quota of project lists.
fn query(table: &str) -> [String; 7] {
    [
        "let".to_owned(),
        "    Source = GoogleBigQuery.Database([BillingProject = BillingProject]),".to_owned(),
        "    Project = Source{[Name = DataProject]}[Data],".to_owned(),
        "    Dataset = Project{[Name = GoldDataset, Kind = \"Schema\"]}[Data],".to_owned(),
        format!("    Gold = Dataset{{[Name = \"{table}\", Kind = \"Table\"]}}[Data]"),
        "in".to_owned(),
        "    Gold".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device_trends() -> GoldTable {
        let column = |name: &str, kind| GoldColumn {
            name: name.to_owned(),
            kind,
            description: format!("the {name}"),
        };
        GoldTable {
            name: "gold_device_trends".to_owned(),
            description: "One row per device".to_owned(),
            columns: vec![
                column("device", GoldKind::String),
                column("sessions", GoldKind::Int64),
            ],
        }
    }

    #[test]
    fn a_table_has_its_columns_and_its_source() {
        let text = table(&device_trends(), StorageMode::Import);
        assert!(
            text.starts_with("/// One row per device\ntable 'Device Trends'\n\tlineageTag: "),
            "{text}"
        );
        assert!(
            text.contains(
                "\n\t/// the device\n\tcolumn Device\n\t\tdataType: string\n\t\tlineageTag: "
            ),
            "{text}"
        );
        assert!(
            text.contains(
                "\tcolumn Sessions\n\t\tdataType: int64\n\t\tisHidden\n\t\tformatString: #,##0\n"
            ),
            "{text}"
        );
        assert!(
            text.contains(
                "Gold = Dataset{[Name = \"gold_device_trends\", Kind = \"Table\"]}[Data]"
            ),
            "{text}"
        );
    }

    #[test]
    fn direct_query_changes_nothing_but_the_mode() {
        let import = table(&device_trends(), StorageMode::Import);
        assert_eq!(
            import.replace("mode: import", "mode: directQuery"),
            table(&device_trends(), StorageMode::Directquery)
        );
    }

    #[test]
    fn the_list_names_tables_of_both_kinds() {
        let text = list(&[device_trends()]);
        assert!(
            text.ends_with(
                "ref table 'Refusal Reason'\nref table 'Device Trends'\nref table Currency\n"
            ),
            "{text}"
        );
    }
}
