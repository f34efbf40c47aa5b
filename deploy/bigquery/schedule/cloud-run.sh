#!/bin/sh
# A build every five minutes without a machine: a Cloud Run job, started by Cloud Scheduler. Can be run again at any time.
#
#     sh deploy/bigquery/schedule/cloud-run.sh PROJECT DATASET REGION IMAGE
#
# IMAGE is a container image with the program `shoptrail` (see Containerfile). The job runs as shoptrail-build, the account that
# setup.sh made, and so needs no key. Variables of this shell that begin with SHOPTRAIL_ are not passed on; set them with
# `gcloud run jobs update shoptrail-build --update-env-vars=...`.
#
# Follows https://docs.cloud.google.com/run/docs/create-jobs and https://docs.cloud.google.com/run/docs/execute/jobs-on-schedule
set -eu

[ $# -eq 4 ] || {
    echo 'error: usage: cloud-run.sh PROJECT DATASET REGION IMAGE' >&2
    exit 2
}
project=$1
dataset=$2
region=$3
image=$4
build="shoptrail-build@$project.iam.gserviceaccount.com"
schedule="shoptrail-schedule@$project.iam.gserviceaccount.com"

gcloud services enable run.googleapis.com cloudscheduler.googleapis.com --project="$project"

# No retries: the next run comes in five minutes, and takes up what this one left.
gcloud run jobs deploy shoptrail-build --project="$project" --region="$region" --image="$image" --service-account="$build" \
    --command=shoptrail --args="build,--warehouse,bigquery://$project/$dataset" \
    --tasks=1 --max-retries=0 --task-timeout=1h --cpu=2 --memory=4Gi

gcloud iam service-accounts describe "$schedule" --project="$project" >/dev/null 2>&1 ||
    gcloud iam service-accounts create shoptrail-schedule --project="$project" --display-name='Shoptrail: starts builds'
gcloud run jobs add-iam-policy-binding shoptrail-build --project="$project" --region="$region" \
    --member="serviceAccount:$schedule" --role=roles/run.invoker >/dev/null

verb=create
if gcloud scheduler jobs describe shoptrail-build --project="$project" --location="$region" >/dev/null 2>&1; then
    verb=update
fi
gcloud scheduler jobs "$verb" http shoptrail-build --project="$project" --location="$region" --schedule='*/5 * * * *' --time-zone=Etc/UTC \
    --uri="https://run.googleapis.com/v2/projects/$project/locations/$region/jobs/shoptrail-build:run" --http-method=POST \
    --oauth-service-account-email="$schedule"
