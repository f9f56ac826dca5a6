-- A constant-time S3 and SQS: seeded files exist by number, nothing but what happened to them is kept.
-- objects: "s:<place>" -> etag of objects that are not seeded; "c:<n>" copied; "d:<n>" deleted.
local M = {}
local kept, counts = ngx.shared.kept, ngx.shared.counts
local format, find, match = string.format, string.find, string.match
local BUCKET = "stub-files"

local function count(name, by) counts:incr(name, by or 1, 0) end
local function number(name) return counts:get(name) or 0 end

local function etag_of(n) return format("%032x", n) end

local function milliseconds()
  ngx.update_time()
  return math.floor(ngx.now() * 1000 + 0.5)
end

-- How long this request took here, for who asks what a worker adds to its requests' own times.
local function note_time() count("busy_ms", milliseconds() - math.floor(ngx.req.start_time() * 1000 + 0.5)) end

local function reply(status, body, content_type)
  ngx.status = status
  ngx.header["x-amz-request-id"] = "4442587FB7D0A2F9"
  ngx.header["x-amz-id-2"] = "vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo="
  ngx.header["Content-Type"] = content_type or "application/xml"
  ngx.header["Content-Length"] = #body
  ngx.print(body)
  return ngx.exit(ngx.HTTP_OK)
end

local function refuse(status, code)
  return reply(status, "<Error><Code>" .. code .. "</Code><Message>stub</Message></Error>")
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function seeded(place)
  local folder, n = match(place, "^" .. BUCKET:gsub("%-", "%%-") .. "/(%a+)/file%-(%d+)%.txt$")
  n = tonumber(n)
  if n and n < number("seeded") then return folder, n end
end

local function look(place)
  local folder, n = seeded(place)
  if not folder then return kept:get("s:" .. place) end
  if folder == "uploads" then return not kept:get("d:" .. n) and etag_of(n) or nil end
  if folder == "processed" then return kept:get("c:" .. n) and etag_of(n) or nil end
end

local function put(place, etag)
  local folder, n = seeded(place)
  if folder == "processed" then
    if kept:add("c:" .. n, 1) then count("processed") end
  else
    kept:set("s:" .. place, etag)
  end
end

local function remove(place)
  local folder, n = seeded(place)
  if folder == "uploads" then
    if kept:add("d:" .. n, 1) then count("deleted") end
  elseif folder == "processed" then
    kept:delete("c:" .. n)
  else
    kept:delete("s:" .. place)
  end
end

local function bare(etag) return etag and (etag:gsub('"', "")) end

local function refusal(place, none_match, if_match)
  local there = look(place)
  if none_match and there then return 412, "PreconditionFailed" end
  if if_match then
    if not there then return 404, "NoSuchKey" end
    if bare(if_match) ~= there then return 412, "PreconditionFailed" end
  end
end

local function throttled()
  local most = tonumber(ngx.var.copies_per_second)
  if most <= 0 then return false end
  local slot = "t:" .. math.floor(ngx.now() * 10)
  return counts:incr(slot, 1, 0, 2) > most / 10
end

local function copy(place, headers, kind)
  local source = unescape(headers["x-amz-copy-source"]):gsub("^/", ""):gsub("%?versionId=.*$", "")
  local etag = look(source)
  if not etag then return refuse(404, "NoSuchKey") end
  local wanted = headers["x-amz-copy-source-if-match"]
  if wanted and bare(wanted) ~= etag then return refuse(412, "PreconditionFailed") end
  local first, last = match(headers["x-amz-copy-source-range"] or "", "bytes=(%d+)%-(%d+)")
  local speed = tonumber(ngx.var.copy_bytes_per_second)
  if first and speed > 0 then ngx.sleep((last - first + 1) / speed) end
  if kind ~= "CopyPartResult" then
    local status, code = refusal(place, M.none_match, M.if_match)
    if status then return refuse(status, code) end
    put(place, etag)
  end
  note_time()
  return reply(200, '<?xml version="1.0" encoding="UTF-8"?>\n<' .. kind
    .. ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>2026-06-01T12:00:00.000Z</LastModified><ETag>&quot;'
    .. etag .. "&quot;</ETag></" .. kind .. ">")
end

local function delete_several(bucket)
  ngx.req.read_body()
  local body, told = ngx.req.get_body_data() or "", {}
  for entry in body:gmatch("<Object>(.-)</Object>") do
    local key = match(entry, "<Key>(.-)</Key>")
    local etag = match(entry, "<ETag>(.-)</ETag>")
    etag = etag and etag:gsub("&quot;", '"')
    local _, code = refusal(bucket .. "/" .. key, nil, etag)
    if code then
      told[#told + 1] = "<Error><Key>" .. key .. "</Key><Code>" .. code .. "</Code></Error>"
    else
      remove(bucket .. "/" .. key)
      told[#told + 1] = "<Deleted><Key>" .. key .. "</Key></Deleted>"
    end
  end
  return reply(200, '<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' .. table.concat(told) .. "</DeleteResult>")
end

local function list(bucket, args)
  local prefix = args.prefix or ""
  local most = tonumber(args["max-keys"]) or 1000
  local told, first, total = {}, tonumber(args["continuation-token"] or args["marker"] or "0") or 0, 0
  if bucket == BUCKET and find("uploads/", prefix, 1, true) == 1 or prefix == "uploads/" then total = number("seeded") end
  local n = first
  while n < total and #told < most do
    if not kept:get("d:" .. n) then
      told[#told + 1] = "<Contents><Key>" .. format("uploads/file-%08d.txt", n) .. "</Key><LastModified>2026-06-01T12:00:00.000Z</LastModified><ETag>&quot;"
        .. etag_of(n) .. "&quot;</ETag><Size>" .. ngx.var.object_bytes .. "</Size><StorageClass>STANDARD</StorageClass></Contents>"
    end
    n = n + 1
  end
  local more = n < total
  return reply(200, '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>'
    .. bucket .. "</Name><Prefix>" .. prefix .. "</Prefix><KeyCount>" .. #told .. "</KeyCount><MaxKeys>" .. most .. "</MaxKeys><IsTruncated>"
    .. tostring(more) .. "</IsTruncated>" .. (more and ("<NextContinuationToken>" .. n .. "</NextContinuationToken><NextMarker>" .. n .. "</NextMarker>") or "")
    .. table.concat(told) .. "</ListBucketResult>")
end

local function head(place)
  local etag = look(place)
  ngx.header["x-amz-request-id"] = "4442587FB7D0A2F9"
  if not etag then return ngx.exit(404) end
  ngx.header["ETag"] = '"' .. etag .. '"'
  ngx.header["Last-Modified"] = "Mon, 01 Jun 2026 12:00:00 GMT"
  ngx.header["Content-Type"] = "binary/octet-stream"
  ngx.header["Content-Length"] = seeded(place) and ngx.var.object_bytes or "0"
  ngx.header["Accept-Ranges"] = "bytes"
  ngx.status = 200
  ngx.send_headers()
  return ngx.exit(200)
end

local function s3(method, path, args, headers)
  local place = unescape(path:sub(2))
  local bucket, key = match(place, "^([^/]+)/?(.*)$")
  if method == "PUT" and headers["x-amz-copy-source"] then
    count(args.partNumber and "UploadPartCopy" or "CopyObject")
    if throttled() then count("SlowDown") return refuse(503, "SlowDown") end
    return copy(place, headers, args.partNumber and "CopyPartResult" or "CopyObjectResult")
  elseif method == "POST" and args.delete ~= nil then
    count("DeleteObjects")
    return delete_several(bucket)
  elseif method == "DELETE" and args.uploadId then
    count("AbortMultipartUpload")
    return refuse(404, "NoSuchUpload")
  elseif method == "DELETE" then
    count("DeleteObject")
    local status, code = refusal(place, nil, M.if_match)
    if status then return refuse(status, code) end
    remove(place)
    note_time()
    ngx.status = 204
    return ngx.exit(204)
  elseif method == "POST" and args.uploads ~= nil then
    count("CreateMultipartUpload")
    return reply(200, "<InitiateMultipartUploadResult><Bucket>" .. bucket .. "</Bucket><Key>" .. key .. "</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>")
  elseif method == "POST" and args.uploadId then
    count("CompleteMultipartUpload")
    put(place, "joined-1")
    return reply(200, "<CompleteMultipartUploadResult><Bucket>" .. bucket .. "</Bucket><Key>" .. key .. "</Key><ETag>&quot;joined-1&quot;</ETag></CompleteMultipartUploadResult>")
  elseif method == "HEAD" then
    if key == "" then ngx.status = 200 return ngx.exit(200) end
    count("HeadObject")
    return head(place)
  elseif method == "PUT" and args.partNumber then
    count("UploadPart")
    ngx.header["ETag"] = '"part"'
    return reply(200, "")
  elseif method == "PUT" then
    count("PutObject")
    put(place, "00000000000000000000000000000001")
    ngx.header["ETag"] = '"00000000000000000000000000000001"'
    return reply(200, "")
  elseif args.tagging ~= nil then
    count("GetObjectTagging")
    if not look(place) then return refuse(404, "NoSuchKey") end
    return reply(200, "<Tagging><TagSet></TagSet></Tagging>")
  elseif args.location ~= nil then
    return reply(200, '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">us-east-2</LocationConstraint>')
  elseif args.versioning ~= nil then
    return reply(200, '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>')
  elseif method == "GET" then
    count("ListObjectsV2")
    return list(bucket, args)
  end
  return refuse(501, "NotImplemented")
end

local EVENT = [[{\"Records\":[{\"eventVersion\":\"2.1\",\"eventSource\":\"aws:s3\",\"awsRegion\":\"us-east-2\",\"eventTime\":\"2026-06-01T12:00:00.000Z\",\"eventName\":\"ObjectCreated:Put\",\"userIdentity\":{\"principalId\":\"AWS:AIDAEXAMPLE\"},\"requestParameters\":{\"sourceIPAddress\":\"192.0.2.1\"},\"responseElements\":{\"x-amz-request-id\":\"4442587FB7D0A2F9\",\"x-amz-id-2\":\"vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo=\"},\"s3\":{\"s3SchemaVersion\":\"1.0\",\"configurationId\":\"stub\",\"bucket\":{\"name\":\"]] .. BUCKET .. [[\",\"ownerIdentity\":{\"principalId\":\"A3NL1KOZZKExample\"},\"arn\":\"arn:aws:s3:::]] .. BUCKET .. [[\"},\"object\":{\"key\":\"uploads/file-%08d.txt\",\"size\":%s,\"eTag\":\"%032x\",\"sequencer\":\"%016X\"}}}]}]]
local BODY = [[{"Type":"Notification","MessageId":"%032x","TopicArn":"arn:aws:sns:us-east-2:123456789012:stub","Subject":"Amazon S3 Notification","Message":"]] .. EVENT .. [[","Timestamp":"2026-06-01T12:00:00.000Z","SignatureVersion":"1","Signature":"]] .. string.rep("A", 344) .. [[","SigningCertURL":"https://sns.us-east-2.amazonaws.com/SimpleNotificationService-0000.pem","UnsubscribeURL":"https://sns.us-east-2.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-2:123456789012:stub:00000000-0000-0000-0000-000000000000"}]]

local function json_string(text) return '"' .. text:gsub('[\\"]', "\\%0") .. '"' end

local function receive(body)
  local most = tonumber(match(body, '"MaxNumberOfMessages"%s*:%s*(%d+)')) or 1
  local wait = tonumber(match(body, '"WaitTimeSeconds"%s*:%s*(%d+)')) or 0
  if most < 1 or most > 10 then
    return reply(400, '{"__type":"com.amazonaws.sqs#InvalidParameterValue","message":"1 to 10"}', "application/x-amz-json-1.0")
  end
  local until_when = ngx.now() + wait
  while true do
    local total, told = number("seeded"), {}
    while #told < most and number("handed") < total do
      local n = counts:incr("handed", 1, 0) - 1
      if n >= total then counts:incr("handed", -1) break end
      local text = format(BODY, n, n, ngx.var.object_bytes, n, n)
      told[#told + 1] = '{"MessageId":"' .. n .. '","ReceiptHandle":"' .. n .. string.rep("R", 180) .. '","MD5OfBody":"'
        .. (ngx.var.md5 == "1" and ngx.md5(text) or "d41d8cd98f00b204e9800998ecf8427e") .. '","Body":' .. json_string(text)
        .. ',"Attributes":{"ApproximateReceiveCount":"1"}}'
    end
    if #told > 0 then
      counts:set("handed_ms", milliseconds())
      return reply(200, '{"Messages":[' .. table.concat(told, ",") .. "]}", "application/x-amz-json-1.0")
    end
    ngx.update_time()
    if ngx.now() >= until_when then return reply(200, "{}", "application/x-amz-json-1.0") end
    ngx.sleep(0.005)
  end
end

local function sqs(target)
  ngx.req.read_body()
  local body = ngx.req.get_body_data() or ""
  local operation = match(target, "%.(%w+)$")
  count(operation)
  if operation == "ReceiveMessage" then return receive(body) end
  local json = "application/x-amz-json-1.0"
  if operation == "DeleteMessageBatch" or operation == "ChangeMessageVisibilityBatch" then
    local told = {}
    for id in body:gmatch('"Id"%s*:%s*"([^"]+)"') do told[#told + 1] = '{"Id":"' .. id .. '"}' end
    if operation == "DeleteMessageBatch" then
      count("acknowledged", #told)
      note_time()
      counts:set("settled_ms", milliseconds())
    end
    return reply(200, '{"Successful":[' .. table.concat(told, ",") .. "]}", json)
  elseif operation == "DeleteMessage" and not find(body, '"none-such"', 1, true) then
    count("acknowledged")
    return reply(200, "{}", json)
  elseif operation == "GetQueueAttributes" then
    return reply(200, [[{"Attributes":{"QueueArn":"arn:aws:sqs:us-east-2:123456789012:stub","VisibilityTimeout":"120","RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-2:123456789012:stub-dlq\",\"maxReceiveCount\":5}"}}]], json)
  end
  return reply(400, '{"__type":"com.amazonaws.sqs#ReceiptHandleIsInvalid","message":"stub"}', json)
end

local IDENTITY = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/stub</Arn><UserId>stub</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"

local function control(path, args)
  if path == "/_stub/seed" then counts:incr("seeded", tonumber(args.objects), 0) end
  local told = {}
  for _, name in ipairs(counts:get_keys(0)) do
    if not find(name, "t:", 1, true) then told[#told + 1] = '"' .. name .. '":' .. number(name) end
  end
  return reply(200, "{" .. table.concat(told, ",") .. "}", "application/json")
end

function M.serve()
  local method, path, args, headers = ngx.req.get_method(), match(ngx.var.request_uri, "^[^?]*"), ngx.req.get_uri_args(), ngx.req.get_headers()
  if find(path, "/_stub/", 1, true) == 1 then return control(path, args) end
  -- nginx would answer these itself, with 304 and 412
  M.none_match, M.if_match = headers["if-none-match"], headers["if-match"]
  ngx.req.clear_header("if-none-match")
  ngx.req.clear_header("if-match")
  if headers["x-amz-target"] then
    local wait = tonumber(ngx.var.sqs_latency)
    if wait > 0 then ngx.sleep(wait) end
    return sqs(headers["x-amz-target"])
  end
  if method == "POST" and path == "/" then return reply(200, IDENTITY) end
  local wait = tonumber(ngx.var.s3_latency)
  if wait > 0 then
    local mine = { M.none_match, M.if_match }
    ngx.sleep(wait)
    M.none_match, M.if_match = mine[1], mine[2]
  end
  return s3(method, path, args, headers)
end

return M
