-- Dissects dropframe's own parts of a stream: the frame mark (RTP header extension), RTCP application packets DFRM
-- (address proof, path probes, notices), repair packets and the messages of the control channel, as in docs/PROTOCOL.md.
--
--   tshark -X lua_script:dropframe.lua -r session.pcap -Y dropframe.frame
--   Wireshark: Help, About, Folders, Personal Lua Plugins: copy this file there
--
-- Encrypted sessions have encrypted RTCP and, with TLS, an encrypted control channel; their frame marks are encrypted too.

local mark_proto = Proto("dropframe.mark", "dropframe frame mark")
local edge_proto = Proto("dropframe.edge", "dropframe frame mark, short form")
local lead_proto = Proto("dropframe.lead", "dropframe decode lead")
local notice_proto = Proto("dropframe.dfrm", "dropframe RTCP application packet")
local repair_proto = Proto("dropframe.repair", "dropframe repair packet")
local control_proto = Proto("dropframe", "dropframe control channel")

-- 3. The frame mark

local edge_importances = { [0] = "key", [1] = "reference", [2] = "discardable" }
local importances = { [4] = "key", [2] = "reference", [1] = "discardable" }
local mark = {
  importance = ProtoField.uint8("dropframe.importance", "Importance", base.DEC, importances, 0xe0),
  decode_only = ProtoField.bool("dropframe.decode_only", "Decoded, not shown", 8, nil, 0x10),
  frame = ProtoField.uint16("dropframe.frame", "Frame number"),
  index = ProtoField.uint16("dropframe.index", "Packet index"),
  count = ProtoField.uint16("dropframe.count", "Packet count"),
  edge_importance = ProtoField.uint8("dropframe.edge_importance", "Importance", base.DEC, edge_importances, 0xc0),
  edge_decode_only = ProtoField.bool("dropframe.edge_decode_only", "Decoded, not shown", 8, nil, 0x20),
  edge_count = ProtoField.uint8("dropframe.edge_packets", "Packet count"),
  edge_frame = ProtoField.uint16("dropframe.frame_low", "Frame number, low 13 bits", base.DEC, nil, 0x1fff),
}
mark_proto.fields = { mark.importance, mark.decode_only, mark.frame, mark.index, mark.count }
edge_proto.fields = { mark.edge_importance, mark.edge_decode_only, mark.edge_frame, mark.edge_count }
local mark_index = ProtoExpert.new("dropframe.index.expert", "The packet index is not below the packet count",
  expert.group.MALFORMED, expert.severity.ERROR)
local mark_importance = ProtoExpert.new("dropframe.importance.expert", "Not exactly one of K, R and D",
  expert.group.MALFORMED, expert.severity.ERROR)
mark_proto.experts = { mark_index, mark_importance }

function mark_proto.dissector(buffer, pinfo, tree)
  if buffer:len() ~= 7 then return 0 end
  local flags, frame, index, count = buffer(0, 1):uint(), buffer(1, 2):uint(), buffer(3, 2):uint(), buffer(5, 2):uint()
  local importance = bit.rshift(flags, 5)
  local name = importances[importance] or "?"
  local text = string.format("Frame mark: frame %d, packet %d of %d, %s", frame, index + 1, count, name)
  local subtree = tree:add(mark_proto, buffer(), text)
  local flag_item = subtree:add(mark.importance, buffer(0, 1))
  subtree:add(mark.decode_only, buffer(0, 1))
  subtree:add(mark.frame, buffer(1, 2))
  local index_item = subtree:add(mark.index, buffer(3, 2))
  subtree:add(mark.count, buffer(5, 2))
  if importances[importance] == nil then flag_item:add_proto_expert_info(mark_importance) end
  if index >= count then index_item:add_proto_expert_info(mark_index) end
  pinfo.cols.info:append(string.format(" [frame %d %d/%d %s]", frame, index + 1, count, name))
  return 7
end

-- The short form, in the first and the last packet of a frame; the marker bit says which of them it is.
function edge_proto.dissector(buffer, pinfo, tree)
  if buffer:len() ~= 3 then return 0 end
  local low, count = bit.band(buffer(0, 2):uint(), 0x1fff), buffer(2, 1):uint()
  local name = edge_importances[bit.rshift(buffer(0, 1):uint(), 6)] or "?"
  local subtree = tree:add(edge_proto, buffer(), string.format("Frame mark: frame …%d, edge of %d, %s", low, count, name))
  subtree:add(mark.edge_importance, buffer(0, 1))
  subtree:add(mark.edge_decode_only, buffer(0, 1))
  subtree:add(mark.edge_frame, buffer(0, 2))
  subtree:add(mark.edge_count, buffer(2, 1))
  pinfo.cols.info:append(string.format(" [frame …%d, edge of %d, %s]", low, count, name))
  return 3
end

local lead_field = ProtoField.uint24("dropframe.decode_lead", "Decode lead, 90 kHz ticks")
lead_proto.fields = { lead_field }

function lead_proto.dissector(buffer, _, tree)
  if buffer:len() ~= 3 then return 0 end
  tree:add(lead_field, buffer())
  return 3
end

local elements = DissectorTable.get("rtp.ext.rfc5285.id")
elements:add(1, mark_proto)
elements:add(2, lead_proto)
elements:add(3, edge_proto)

-- 7. The address proof and the path MTU, 13. Notices

local micros = " µs"
local subtypes = {
  [0] = "hello", [1] = "challenge", [2] = "proof", [3] = "confirmed", [4] = "probe", [5] = "probe answer",
  [8] = "path", [9] = "request", [10] = "withheld", [11] = "reports wanted", [12] = "queue",
  [13] = "sent",
}
local notice = {
  subtype = ProtoField.uint8("dropframe.notice", "Kind", base.DEC, subtypes, 0x1f),
  session = ProtoField.bytes("dropframe.session", "Session"),
  nonce = ProtoField.bytes("dropframe.nonce", "Nonce of the receiver"),
  challenge = ProtoField.bytes("dropframe.challenge", "Challenge"),
  proof = ProtoField.bytes("dropframe.proof", "Proof: HMAC-SHA-256"),
  padding = ProtoField.bytes("dropframe.padding", "Padding"),
  probe = ProtoField.uint32("dropframe.probe", "Number of the probe"),
  probe_bytes = ProtoField.uint32("dropframe.probe_bytes", "Length of the probe, bytes"),
  host_drops = ProtoField.uint32("dropframe.host_drops", "Datagrams dropped by the receiver's system"),
  latency = ProtoField.uint32("dropframe.latency", "Latency," .. micros),
  answer_time = ProtoField.uint32("dropframe.answer_time", "Answer time," .. micros),
  loss = ProtoField.float("dropframe.loss", "Loss, share of packets"),
  burst = ProtoField.float("dropframe.burst", "Mean run of losses, packets"),
  recent_loss = ProtoField.float("dropframe.recent_loss", "Recent loss, share of packets"),
  shows_damaged = ProtoField.bool("dropframe.shows_damaged", "Shows frames without their reference", 16, nil, 0x8000),
  queueing = ProtoField.float("dropframe.queueing", "Queueing delay, ms"),
  spacing = ProtoField.uint32("dropframe.spacing", "Spacing at the bottleneck," .. micros),
  answers_late = ProtoField.float("dropframe.answers_late", "Answers too late, share of losses"),
  request = ProtoField.uint16("dropframe.request", "Number of the request"),
  last = ProtoField.bool("dropframe.last", "Last that can be answered", 16, nil, 0x8000),
  late = ProtoField.bool("dropframe.late", "Too late to be shown", 16, nil, 0x4000),
  useful = ProtoField.uint32("dropframe.useful", "Time for which an answer is useful," .. micros),
  withheld = ProtoField.uint32("dropframe.withheld", "Frames withheld since the start"),
  interval = ProtoField.uint32("dropframe.interval", "Interval of reports," .. micros),
  sequence = ProtoField.uint16("dropframe.sequence", "Sequence number"),
  records = ProtoField.bool("dropframe.records", "Every frame is recorded", 16, nil, 0x8000),
}
local notice_fields = {}
for _, field in pairs(notice) do notice_fields[#notice_fields + 1] = field end
notice_proto.fields = notice_fields
local truncated = ProtoExpert.new("dropframe.truncated.expert", "Shorter than a packet of this kind",
  expert.group.MALFORMED, expert.severity.ERROR)
notice_proto.experts = { truncated }

-- Data after the name of an application packet: its shortest length, and its fields.
local function address_proof(subtype)
  return function(data, tree)
    tree:add(notice.session, data(0, 8))
    tree:add(notice.nonce, data(8, 8))
    if data:len() == 16 then return end
    local field = ({ [1] = notice.challenge, [2] = notice.proof })[subtype] or notice.padding
    tree:add(field, data(16))
  end
end

local function queueing(tree, data)
  tree:add(notice.queueing, data, bit.band(data:uint(), 0x7fff) / 10)
end

local kinds = {
  [0] = { 32, address_proof(0) },
  [1] = { 32, address_proof(1) },
  [2] = { 48, address_proof(2) },
  [3] = { 16, address_proof(3) },
  [4] = { 4, function(data, tree)
    tree:add(notice.probe, data(0, 4))
    if data:len() > 4 then tree:add(notice.padding, data(4)) end
  end },
  [5] = { 8, function(data, tree)
    tree:add(notice.probe, data(0, 4))
    tree:add(notice.probe_bytes, data(4, 4))
    if data:len() >= 12 then tree:add(notice.host_drops, data(8, 4)) end
  end },
  [8] = { 16, function(data, tree)
    tree:add(notice.latency, data(0, 4))
    tree:add(notice.answer_time, data(4, 4))
    tree:add(notice.loss, data(8, 2), data(8, 2):uint() / 65536)
    tree:add(notice.burst, data(10, 2), data(10, 2):uint() / 256)
    tree:add(notice.recent_loss, data(12, 2), data(12, 2):uint() / 65536)
    tree:add(notice.shows_damaged, data(14, 2))
    queueing(tree, data(14, 2))
    if data:len() >= 20 then tree:add(notice.spacing, data(16, 4)) end
    if data:len() >= 24 then tree:add(notice.answers_late, data(20, 2), data(20, 2):uint() / 65536) end
  end },
  [9] = { 8, function(data, tree)
    tree:add(notice.request, data(0, 2))
    tree:add(notice.last, data(2, 2))
    tree:add(notice.late, data(2, 2))
    tree:add(notice.useful, data(4, 4))
  end },
  [10] = { 4, function(data, tree) tree:add(notice.withheld, data(0, 4)) end },
  [11] = { 4, function(data, tree) tree:add(notice.interval, data(0, 4)) end },
  [12] = { 8, function(data, tree)
    tree:add(notice.sequence, data(0, 2))
    tree:add(notice.records, data(2, 2))
    queueing(tree, data(2, 2))
    tree:add(notice.latency, data(4, 4))
  end },
  [13] = { 4, function(data, tree) tree:add(notice.sequence, data(0, 2)) end },
}

-- The buffer is the whole packet: header, SSRC and name take twelve bytes.
function notice_proto.dissector(buffer, pinfo, tree)
  if buffer:len() < 12 then return 0 end
  local subtype = bit.band(buffer(0, 1):uint(), 0x1f)
  local name = subtypes[subtype] or "unknown"
  local subtree = tree:add(notice_proto, buffer(), "dropframe: " .. name)
  subtree:add(notice.subtype, buffer(0, 1))
  local kind = kinds[subtype]
  if kind == nil then return buffer:len() end
  if buffer:len() - 12 < kind[1] then
    subtree:add_proto_expert_info(truncated)
    return buffer:len()
  end
  kind[2](buffer(12), subtree)
  pinfo.cols.info:append(" [" .. name .. "]")
  return buffer:len()
end

DissectorTable.get("rtcp.app.name"):add("DFRM", notice_proto)

-- 6. Retransmissions and 13. Repair packets, in captures that begin with a session description (those of --pcap)

local again_proto = Proto("dropframe.again", "RTP retransmission (RFC 4588)")
local original = ProtoField.uint16("dropframe.original", "Original sequence number")
again_proto.fields = { original }

function again_proto.dissector(buffer, pinfo, tree)
  if buffer:len() < 2 then return 0 end
  tree:add(original, buffer(0, 2))
  pinfo.cols.info:append(string.format(" [again %d]", buffer(0, 2):uint()))
  return buffer:len()
end

local repair = {
  key = ProtoField.uint16("dropframe.repair_key", "Repair key"),
  density = ProtoField.uint16("dropframe.density", "Density", base.DEC, nil, 0xf000),
  window = ProtoField.uint16("dropframe.window", "Packets in the window", base.DEC, nil, 0x0fff),
  first = ProtoField.uint16("dropframe.first", "First sequence number of the window"),
  symbol = ProtoField.bytes("dropframe.symbol", "Repair symbol"),
}
repair_proto.fields = { repair.key, repair.density, repair.window, repair.first, repair.symbol }

function repair_proto.dissector(buffer, pinfo, tree)
  if buffer:len() < 6 then return 0 end
  local window, first = bit.band(buffer(2, 2):uint(), 0x0fff), buffer(4, 2):uint()
  local subtree = tree:add(repair_proto, buffer(), string.format("Repair packet: %d packets from %d on", window, first))
  subtree:add(repair.key, buffer(0, 2))
  subtree:add(repair.density, buffer(2, 2))
  subtree:add(repair.window, buffer(2, 2))
  subtree:add(repair.first, buffer(4, 2))
  if buffer:len() > 6 then subtree:add(repair.symbol, buffer(6)) end
  pinfo.cols.info:append(string.format(" [repair of %d from %d on]", window, first))
  return buffer:len()
end

local formats = DissectorTable.get("rtp_dyn_payload_type")
formats:add("rtx", again_proto)
formats:add("dropframe-repair", repair_proto)

-- 8. The control channel, and 9. the stream over TCP

local HEADER_BYTES, BODY_BYTES_MAX = 8, 65536
local control = {
  length = ProtoField.uint32("dropframe.length", "Length of the body"),
  kind = ProtoField.string("dropframe.kind", "Kind"),
}
control_proto.fields = { control.length, control.kind }
local wrong = ProtoExpert.new("dropframe.length.expert", "Not a message of the control channel",
  expert.group.MALFORMED, expert.severity.ERROR)
control_proto.experts = { wrong }
local json = Dissector.get("json")
local framed = Dissector.get("rtp.rfc4571")

local function opens_message(buffer)
  return buffer:len() >= 4 and buffer(0, 4):uint() == 0x44460100
end

local function message(buffer, pinfo, tree)
  local subtree = tree:add(control_proto, buffer())
  local length = buffer(4, 4):uint()
  local item = subtree:add(control.length, buffer(4, 4))
  if not opens_message(buffer) or length == 0 or length > BODY_BYTES_MAX then
    item:add_proto_expert_info(wrong)
    return buffer:len()
  end
  local body = buffer(HEADER_BYTES)
  local kind = string.match(body:string(), '"kind"%s*:%s*"([^"]*)"') or "?"
  subtree:add(control.kind, body, kind):set_generated()
  subtree:append_text(": " .. kind)
  json:call(body:tvb(), pinfo, subtree)
  pinfo.cols.protocol = "DROPFRAME"
  pinfo.cols.info:append(" " .. kind)
  return buffer:len()
end

local function message_bytes(buffer, _, offset)
  local length = buffer(offset + 4, 4):uint()
  if length > BODY_BYTES_MAX then return HEADER_BYTES end
  return HEADER_BYTES + length
end

function control_proto.dissector(buffer, pinfo, tree)
  -- After attach and attached, a connection carries RTP (RFC 4571).
  if buffer:len() >= 3 and buffer(0, 2):uint() ~= 0x4446 then
    local is_rtp = bit.band(buffer(2, 1):uint(), 0xc0) == 0x80 or buffer(0, 2):uint() == 0
    return is_rtp and framed:call(buffer, pinfo, tree) or 0
  end
  pinfo.cols.info = ""
  dissect_tcp_pdus(buffer, tree, HEADER_BYTES, message_bytes, message)
  return buffer:len()
end

-- The default port, before the dissector of Wireshark that has it; for others: Decode As, or -d tcp.port==PORT,dropframe.
DissectorTable.get("tcp.port"):add(7000, control_proto)
DissectorTable.get("tls.alpn"):add("dropframe/1", control_proto)

-- 3. Media of real traffic, which no session description precedes: RTP whose header extension begins with a frame mark
local rtp = Dissector.get("rtp")
mark_proto:register_heuristic("udp", function(buffer, pinfo, tree)
  if buffer:len() < 24 or bit.band(buffer(0, 1):uint(), 0xdf) ~= 0x90 then return false end
  if buffer(12, 2):uint() ~= 0xbede or buffer(16, 1):uint() ~= 0x16 then return false end
  rtp:call(buffer, pinfo, tree)
  return true
end)
