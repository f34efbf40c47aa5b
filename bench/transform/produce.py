"""Sends records to Kafka as the edge does: keyed by visitor, in Confluent's wire format.

    produce.py BOOTSTRAP_SERVERS TOPIC RECORDS FROM TO

FROM and TO are the first offset of the records and the one after the last.
"""

import struct
import sys
from pathlib import Path

import pyarrow.parquet as pq
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

# Source: Confluent documentation, "Wire format": a magic byte and the schema's id.
HEADER = struct.pack(">bI", 0, 1)
SETTINGS = {"compression.type": "zstd", "linger.ms": 50, "queue.buffering.max.messages": 200_000}


def failed(error, message):
    if error:
        sys.exit(f"record at {message.topic()} was not taken: {error}")


def create(servers, topic):
    """Makes the topic unless it is there. Waits for the broker to come up."""
    admin = AdminClient({"bootstrap.servers": servers})
    made = admin.create_topics([NewTopic(topic, 3, 1)])
    try:
        made[topic].result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def main(servers, topic, records, first, end):
    create(servers, topic)
    producer = Producer({"bootstrap.servers": servers, **SETTINGS})
    within = [("_offset", ">=", int(first)), ("_offset", "<", int(end))]
    for file in sorted(Path(records).glob("*.parquet")):
        table = pq.read_table(file, columns=["key", "record"], filters=within)
        for batch in table.to_batches(max_chunksize=10_000):
            for key, record in zip(batch["key"].to_pylist(), batch["record"].to_pylist()):
                while True:
                    try:
                        producer.produce(topic, HEADER + record.encode(), key, on_delivery=failed)
                        break
                    except BufferError:
                        producer.poll(1)
            producer.poll(0)
    producer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
