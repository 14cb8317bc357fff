"""What happens to topics: records that are deleted, partitions that are added, a topic that is made anew."""

from aiokafka import TopicPartition
from aiokafka.admin import NewPartitions, NewTopic, RecordsToDelete

from broker.clients import administering, make_reader, reading
from runtime.settings import Settings
from tests.members import PARTITION, until


async def lose(
    settings: Settings, before: int, *, topic: str | None = None, partition: int = PARTITION
) -> None:
    """Delete a partition's records before this offset; of the topic of days, unless another is named."""
    place = TopicPartition(topic or settings.topics.days, partition)
    async with administering(settings.broker) as admin:
        await admin.delete_records({place: RecordsToDelete(before)})


async def grow(settings: Settings, topic: str, partitions: int) -> None:
    """Give a topic more partitions; returns when the broker knows them."""
    async with administering(settings.broker) as admin:
        await admin.create_partitions({topic: NewPartitions(partitions)})

        async def grown() -> bool:
            [described] = await admin.describe_topics([topic])
            return len(described["partitions"]) == partitions

        await until(grown)


async def make_anew(settings: Settings, topic: str | None = None, *, partitions: int | None = None) -> None:
    """Delete a topic and create it again, empty; the topic of days, unless another is named.

    Its partition `PARTITION` is the test's own and had records.
    """
    name = topic or settings.topics.days
    [spec] = [spec for spec in settings.topics.specs() if spec.name == name]
    anew = NewTopic(name, partitions or spec.partitions, 1, topic_configs=spec.config)
    async with administering(settings.broker) as admin:
        await admin.delete_topics([name])

        async def created() -> bool:
            answer = await admin.create_topics([anew])
            return answer.topic_errors[0][1] == 0

        await until(created)
    await until(lambda: is_empty(settings, TopicPartition(name, PARTITION)))


async def is_empty(settings: Settings, place: TopicPartition) -> bool:
    """Whether the broker serves an empty partition; it serves the deleted one a moment longer."""
    async with reading(make_reader(settings.broker)) as reader:
        return (await reader.log_ends([place]))[place] == 0
