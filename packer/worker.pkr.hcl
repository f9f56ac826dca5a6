# The golden image: the worker in its own virtual environment, its units, and nothing of the builder.
# README.md beside this file is the contract: variables, manifest, exit status.

packer {
  required_version = ">= 1.9.0"
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "1.8.2"
    }
  }
}

locals {
  is_ubuntu = var.os == "ubuntu-24.04"
  version   = regex_replace(basename(var.wheel), "^s3_event_worker-([^-]+)-.*$", "$1")
  timestamp = formatdate("YYYYMMDD-hhmmss", timestamp())
  ami_name  = var.ami_name != "" ? var.ami_name : "s3-event-worker-${local.version}-${var.os}-${var.arch}-${local.timestamp}"
  work      = "/var/tmp/s3-event-worker-bake"

  # The publishers' own accounts: Canonical's and Amazon's. A name alone could be anybody's.
  owner     = local.is_ubuntu ? "099720109477" : "137112412989"
  deb_arch  = var.arch == "arm64" ? "arm64" : "amd64"
  published = local.is_ubuntu ? "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-${local.deb_arch}-server-*" : "al2023-ami-2023.*-kernel-6.1-${var.arch}"

  # As Packer fills it in: the source image is known only once the filter has found it.
  tags = merge({
    Name          = local.ami_name
    Project       = "s3-event-worker"
    GitRevision   = var.git_revision
    WorkerVersion = local.version
    SourceAMI     = "{{ .SourceAMI }}"
    SourceAMIName = "{{ .SourceAMIName }}"
    OS            = var.os
    Architecture  = var.arch
  }, var.tags)

  session_profiles = var.ssh_interface == "session_manager" && var.iam_instance_profile == "" ? ["temporary"] : []
}

source "amazon-ebs" "worker" {
  region              = var.region
  custom_endpoint_ec2 = var.ec2_endpoint

  # --- the source image ---
  source_ami = var.source_ami
  dynamic "source_ami_filter" {
    for_each = var.source_ami == "" ? [local.published] : []
    content {
      owners      = [local.owner]
      most_recent = true
      filters = {
        name                = source_ami_filter.value
        architecture        = var.arch
        root-device-type    = "ebs"
        virtualization-type = "hvm"
      }
    }
  }

  # --- the builder ---
  instance_type        = var.instance_type != "" ? var.instance_type : (var.arch == "arm64" ? "t4g.small" : "t3.small")
  subnet_id            = var.subnet_id
  iam_instance_profile = var.iam_instance_profile
  shutdown_behavior    = "terminate"
  run_tags             = merge({ Name = "s3-event-worker-bake", Project = "s3-event-worker" }, var.tags)
  run_volume_tags      = merge({ Name = "s3-event-worker-bake", Project = "s3-event-worker" }, var.tags)
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  # --- how it is reached ---
  communicator                              = "ssh"
  ssh_username                              = var.ssh_username != "" ? var.ssh_username : (local.is_ubuntu ? "ubuntu" : "ec2-user")
  ssh_interface                             = var.ssh_interface
  ssh_timeout                               = "10m"
  temporary_key_pair_type                   = "ed25519"
  temporary_security_group_source_cidrs     = var.source_cidrs
  temporary_security_group_source_public_ip = var.ssh_interface != "session_manager" && length(var.source_cidrs) == 0
  dynamic "temporary_iam_instance_profile_policy_document" {
    for_each = local.session_profiles
    content {
      Version = "2012-10-17"
      Statement {
        Effect = "Allow"
        Action = [
          "ssm:UpdateInstanceInformation",
          "ssmmessages:CreateControlChannel",
          "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel",
          "ssmmessages:OpenDataChannel",
        ]
        Resource = ["*"]
      }
    }
  }

  # --- the image ---
  ami_name        = local.ami_name
  ami_description = "s3-event-worker ${local.version} (${var.git_revision}) on ${var.os} ${var.arch}"
  imds_support    = "v2.0"
  deprecate_at    = var.deprecate_after_days == 0 ? "" : timeadd(timestamp(), "${var.deprecate_after_days * 24}h")
  tags            = local.tags
  snapshot_tags   = local.tags
  launch_block_device_mappings {
    device_name           = local.is_ubuntu ? "/dev/sda1" : "/dev/xvda"
    volume_type           = "gp3"
    iops                  = 3000
    throughput            = 125
    volume_size           = var.volume_size
    encrypted             = true
    kms_key_id            = var.kms_key_id
    delete_on_termination = true
  }
}

build {
  sources = ["source.amazon-ebs.worker"]

  provisioner "shell" {
    inline = ["rm -rf ${local.work}", "mkdir -m 700 -p ${local.work}/wheels"]
  }

  provisioner "file" {
    sources     = ["${path.root}/files", "${path.root}/scripts", "${path.root}/../systemd", "${path.root}/requirements.lock"]
    destination = "${local.work}/"
  }

  provisioner "file" {
    sources     = concat([var.wheel], [for name in fileset(var.wheelhouse == "" ? "." : var.wheelhouse, "*.whl") : "${var.wheelhouse}/${name}" if var.wheelhouse != ""])
    destination = "${local.work}/wheels/"
  }

  # Each step is a file of its own, so that a failure names the step.
  provisioner "shell" {
    inline = [for step in ["system", "worker", "validate"] : join(" ", [
      "sudo -n env",
      "ONLINE=${var.online}",
      "OFFLINE_WHEELS=${var.wheelhouse != ""}",
      "WORKER_VERSION=${local.version}",
      "GIT_REVISION=${var.git_revision}",
      "SOURCE_AMI=${build.SourceAMI}",
      "bash ${local.work}/scripts/${step}.sh",
    ])]
  }

  provisioner "file" {
    direction   = "download"
    source      = "/usr/share/s3-event-worker/image.json"
    destination = "${var.output}/image.json"
  }

  # Last, and checked by the same step: after it nothing of the builder is left.
  provisioner "shell" {
    inline = ["sudo -n bash ${local.work}/scripts/clean.sh"]
  }

  post-processor "manifest" {
    output     = "${var.output}/manifest.json"
    strip_path = true
    custom_data = {
      git_revision    = var.git_revision
      worker_version  = local.version
      source_ami      = build.SourceAMI
      source_ami_name = build.SourceAMIName
      os              = var.os
      arch            = var.arch
      contents        = "image.json"
    }
  }
}
