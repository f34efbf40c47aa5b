#!/bin/sh
# Makes what Shoptrail needs in Google Cloud: the dataset, the accounts, the smallest roles that do. Can be run again at any time:
# what is there stays.
#
#     sh deploy/bigquery/setup.sh PROJECT DATASET LOCATION [--sink] [--reader MEMBER]...
#
#     PROJECT    id of a project with billing
#     DATASET    name of the dataset, for example shoptrail
#     LOCATION   where the data lies, for good: EU, US, europe-west3, ...
#     --sink     makes the account of Confluent's sink, too
#     --reader   lets a reader in, such as group:analytics@shop.example or serviceAccount:...; can be given several times
#
# The caller needs Owner of the project, or: Service Usage Admin, Service Account Admin, Project IAM Admin, BigQuery Data Owner
# and BigQuery Job User.
set -eu

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 2
}

say() {
    printf '%s\n' "$1"
}

usage='usage: setup.sh PROJECT DATASET LOCATION [--sink] [--reader MEMBER]...'
[ $# -ge 1 ] || fail "PROJECT, DATASET and LOCATION are missing; $usage"
[ $# -ge 2 ] || fail "DATASET and LOCATION are missing; $usage"
[ $# -ge 3 ] || fail "LOCATION is missing; $usage"
project=$1
dataset=$2
location=$3
shift 3

case $project in
'' | -* | *[!a-z0-9:.-]*) fail "PROJECT is not a project id: $project" ;;
esac
case $dataset in
'' | *[!A-Za-z0-9_]*) fail "DATASET has more than letters, digits and underscores: $dataset" ;;
esac
case $location in
'' | -* | *[!A-Za-z0-9-]*) fail "LOCATION is not a location: $location" ;;
esac

sink=no
readers=''
while [ $# -gt 0 ]; do
    case $1 in
    --sink)
        sink=yes
        shift
        ;;
    --reader)
        [ $# -ge 2 ] || fail "--reader needs a member, such as group:analytics@shop.example"
        # The member stands in an SQL statement below.
        case $2 in
        *[!A-Za-z0-9:@._-]* | :* | *:) fail "not a member: $2" ;;
        user:* | group:* | serviceAccount:*) ;;
        *) fail "a member begins with user:, group: or serviceAccount: $2" ;;
        esac
        readers="$readers $2"
        shift 2
        ;;
    *) fail "unknown argument: $1; $usage" ;;
    esac
done

for program in gcloud bq; do
    command -v "$program" >/dev/null 2>&1 || fail "\`$program\` is missing: install the Google Cloud CLI (https://docs.cloud.google.com/sdk/docs/install)"
done
gcloud projects describe "$project" >/dev/null || fail "cannot see project $project: sign in with \`gcloud auth login\`, or ask for access"

# An account of this project, made unless it is there.
account() {
    if gcloud iam service-accounts describe "$1@$project.iam.gserviceaccount.com" --project="$project" >/dev/null 2>&1; then
        say "account $1: there"
    else
        gcloud iam service-accounts create "$1" --project="$project" --display-name="$2" >/dev/null
        say "account $1: made"
    fi
}

on_project() {
    gcloud projects add-iam-policy-binding "$project" --member="$1" --role="$2" --condition=None >/dev/null
    say "$2 on the project: $1"
}

on_dataset() {
    bq --project_id="$project" --location="$location" query --use_legacy_sql=false \
        "GRANT \`$2\` ON SCHEMA \`$project\`.\`$dataset\` TO \"$1\"" >/dev/null
    say "$2 on the dataset: $1"
}

gcloud services enable bigquery.googleapis.com bigquerystorage.googleapis.com --project="$project"

if found=$(bq --project_id="$project" --format=json show --dataset "$project:$dataset" 2>/dev/null); then
    say "dataset $dataset: there"
    there=$(printf '%s' "$found" | sed -n 's/.*"location": *"\([^"]*\)".*/\1/p')
    [ "$(printf '%s' "$there" | tr '[:upper:]' '[:lower:]')" = "$(printf '%s' "$location" | tr '[:upper:]' '[:lower:]')" ] ||
        fail "dataset $dataset lies in $there, not in $location; a dataset cannot be moved"
else
    # 168 hours, the longest there is: a build from the sink's table needs the time between two builds to lie within.
    bq --project_id="$project" --location="$location" mk --dataset --max_time_travel_hours=168 \
        --description='Shoptrail: bronze, silver and gold' "$project:$dataset" >/dev/null
    say "dataset $dataset: made"
fi

account shoptrail-build 'Shoptrail: lands and builds'
build="serviceAccount:shoptrail-build@$project.iam.gserviceaccount.com"
on_dataset "$build" roles/bigquery.dataEditor
on_project "$build" roles/bigquery.jobUser
on_project "$build" roles/bigquery.readSessionUser

if [ "$sink" = yes ]; then
    account shoptrail-sink "Shoptrail: Confluent's sink"
    on_dataset "serviceAccount:shoptrail-sink@$project.iam.gserviceaccount.com" roles/bigquery.dataEditor
fi

for reader in $readers; do
    on_dataset "$reader" roles/bigquery.dataViewer
    on_project "$reader" roles/bigquery.jobUser
    on_project "$reader" roles/bigquery.readSessionUser
done

say "next: shoptrail build --warehouse bigquery://$project/$dataset --dry-run"
