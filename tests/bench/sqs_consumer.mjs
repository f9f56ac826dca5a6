// The same work with bbc/sqs-consumer and the AWS SDK for JavaScript, as its README has it.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.TOOLS}/`);
const { Consumer } = require("sqs-consumer");
const { S3Client, CopyObjectCommand, DeleteObjectCommand } = require("@aws-sdk/client-s3");
const { SQSClient } = require("@aws-sdk/client-sqs");

const options = { region: process.env.AWS_REGION, endpoint: process.env.AWS_ENDPOINT_URL };
const s3 = new S3Client({ ...options, forcePathStyle: true });
const bucket = process.env.BUCKET;

async function move(message) {
  for (const record of JSON.parse(JSON.parse(message.Body).Message).Records) {
    const key = decodeURIComponent(record.s3.object.key.replace(/\+/g, " "));
    const to = key.replace(/^uploads\//, "processed/");
    await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: to, CopySource: `${bucket}/${encodeURI(key)}` }));
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  }
}

for (let number = 0; number < 8; number += 1) {
  const consumer = Consumer.create({
    queueUrl: process.env.QUEUE_URL,
    sqs: new SQSClient(options),
    batchSize: 10,
    handleMessageBatch: async (messages) => {
      await Promise.all(messages.map(move));
      return messages;
    },
  });
  consumer.on("error", (error) => console.error(error));
  consumer.on("processing_error", (error) => console.error(error));
  consumer.start();
}
