//! Gold tables as TMDL: tabs for indentation, `///` for descriptions, no comments.

use super::definition::{GoldColumn, GoldKind, GoldTable};
use super::name::{lineage_tag, quoted};
use super::settings::StorageMode;

/// Marks a generated table in its file.
pub(super) const GENERATED: &str = "annotation GeneratedBy = cargo xtask powerbi";

/// Tables written by hand, in the order of the fields list.
const BY_HAND: [&str; 10] = [
    "Key Figures",
    "Date",
    "Shop",
    "Product",
    "Customer",
    "Channel",
    "Device",
    "Funnel Step",
    "Refusal Reason",
    "Shop Reader",
];

/// Columns by which a table of its own filters this one and others, or which only that table shows.
const OF_DIMENSIONS: [&str; 9] = [
    "channel",
    "currency",
    "customer_id",
    "device",
    "first_channel",
    "item_category",
    "item_id",
    "item_name",
    "shop_id",
];

/// Ids that name one thing only together with the shop, and the column that joins both: a relationship takes one column.
const KEYS: [(&str, &str); 2] = [("item_id", "Product Key"), ("customer_id", "Customer Key")];

/// `model.tmdl`: settings of the model, and the lists of its tables and roles.
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
    text.push_str("\nref role 'All shops'\nref role 'Shop reader'\n");
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
    for (id, key) in KEYS {
        if table.columns.iter().any(|column| column.name == id) {
            text.push_str(&key_column(&title, id, key));
        }
    }
    text.push_str(&format!(
        "\n\tpartition {name} = m\n\t\tmode: {}\n\t\tsource = Gold(\"{}\")\n\n\t{GENERATED}\n",
        mode.tmdl(),
        table.name
    ));
    text
}

fn key_column(table: &str, id: &str, key: &str) -> String {
    let name = quoted(table);
    let id = super::name::title(id);
    let tag = lineage_tag(&format!("{table}/{key}"));
    format!(
        "\n\t/// Shop and {id}\n\tcolumn '{key}' = {name}[Shop ID] & \"/\" & {name}[{id}]\n\t\tdataType: string\n\t\tisHidden\n\
         \t\tlineageTag: {tag}\n\t\tsummarizeBy: none\n"
    )
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

/// Readers see what they group and filter by. Numbers reach them through measures, which know how to add them up; days,
/// shops, products and the like through the tables that filter all others.
fn is_hidden(column: &GoldColumn) -> bool {
    let is_number = matches!(column.kind, GoldKind::Int64 | GoldKind::Float64);
    is_number || column.kind == GoldKind::Date || OF_DIMENSIONS.contains(&column.name.as_str())
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
                column("browser", GoldKind::String),
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
                "\n\t/// the browser\n\tcolumn Browser\n\t\tdataType: string\n\t\tlineageTag: "
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
            text.contains("\t\tsource = Gold(\"gold_device_trends\")\n"),
            "{text}"
        );
    }

    #[test]
    fn what_only_a_shop_makes_unique_has_a_key_of_both() {
        let mut products = device_trends();
        products.columns.push(GoldColumn {
            name: "item_id".to_owned(),
            kind: GoldKind::String,
            description: "the product".to_owned(),
        });
        let text = table(&products, StorageMode::Import);
        let key = "\tcolumn 'Product Key' = 'Device Trends'[Shop ID] & \"/\" & 'Device Trends'[Item ID]\n";
        assert!(text.contains(key), "{text}");
        assert!(!text.contains("Customer Key"), "{text}");
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
                "ref table 'Shop Reader'\nref table 'Device Trends'\nref table Currency\n\nref role 'All shops'\nref role 'Shop reader'\n"
            ),
            "{text}"
        );
    }
}
