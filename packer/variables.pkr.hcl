# What a bake may be told. Give them as `-var name=value` or as PKR_VAR_name in the environment.
# Credentials, profile and region come from the standard AWS environment, as for every AWS tool.

# --- what is baked --------------------------------------------------------------------------------

variable "wheel" {
  type        = string
  description = "The project's own wheel, such as ../dist/s3_event_worker-0.1.0-py3-none-any.whl (`make wheel`)."
  validation {
    condition     = regex_replace(basename(var.wheel), "^s3_event_worker-[0-9][^-]*-py3-none-any[.]whl$", "") == ""
    error_message = "The wheel is a file named s3_event_worker-VERSION-py3-none-any.whl; `make wheel` builds it into dist/."
  }
}

variable "git_revision" {
  type        = string
  description = "The revision that the wheel was built from; it becomes a tag, and stands in the manifest."
  validation {
    condition     = var.git_revision != "" && regex_replace(var.git_revision, "^[0-9a-f]{7,40}(-dirty)?$", "") == ""
    error_message = "The git_revision is 7 to 40 hexadecimal digits (`git rev-parse HEAD`), with -dirty behind them if files were changed."
  }
}

variable "wheelhouse" {
  type        = string
  default     = ""
  description = "A folder with the wheels of all dependencies (`make wheelhouse`). Given: pip asks no index. Empty: the package index."
  validation {
    condition     = var.wheelhouse == "" || length(fileset(var.wheelhouse == "" ? "." : var.wheelhouse, "*.whl")) > 0
    error_message = "The wheelhouse is a folder that holds wheels; `make wheelhouse` fills dist/wheelhouse."
  }
}

variable "os" {
  type        = string
  default     = "ubuntu-24.04"
  description = "The distribution of the source image: ubuntu-24.04 or amazon-linux-2023."
  validation {
    condition     = contains(["ubuntu-24.04", "amazon-linux-2023"], var.os)
    error_message = "The os is ubuntu-24.04 or amazon-linux-2023."
  }
}

variable "arch" {
  type        = string
  default     = "x86_64"
  description = "The processor: x86_64 or arm64 (Graviton)."
  validation {
    condition     = contains(["x86_64", "arm64"], var.arch)
    error_message = "The arch is x86_64 or arm64."
  }
}

variable "source_ami" {
  type        = string
  default     = ""
  description = "Bake upon this image. Empty: the newest of its publisher for os and arch."
  validation {
    condition     = regex_replace(var.source_ami, "^ami-[0-9a-f]{8,17}$", "") == ""
    error_message = "The source_ami is an image's id, such as ami-0123456789abcdef0, or empty."
  }
}

variable "online" {
  type        = bool
  default     = true
  description = "False: install no operating system packages; they have to be in the source image."
}

# --- the image ------------------------------------------------------------------------------------

variable "ami_name" {
  type        = string
  default     = ""
  description = "The image's name, unique in the account. Empty: s3-event-worker-VERSION-OS-ARCH-TIME."
  validation {
    condition     = regex_replace(var.ami_name, "^[][A-Za-z0-9() ./'@_-]{3,128}$", "") == ""
    error_message = "The ami_name is 3 to 128 letters, digits, and ( ) [ ] space . / - ' @ _ or empty."
  }
}

variable "volume_size" {
  type        = number
  default     = 8
  description = "GiB of the encrypted root volume; no instance can have a smaller one."
  validation {
    condition     = var.volume_size >= 8 && var.volume_size <= 16384
    error_message = "The volume_size is 8 to 16384 GiB."
  }
}

variable "kms_key_id" {
  type        = string
  default     = ""
  description = "The key that encrypts the volume and the image. Empty: the account's default key for EBS."
}

variable "deprecate_after_days" {
  type        = number
  default     = 180
  description = "Days until EC2 calls the image deprecated; it still launches. 0: never."
  validation {
    condition     = var.deprecate_after_days >= 0 && var.deprecate_after_days <= 3650
    error_message = "The deprecate_after_days are 0 to 3650: EC2 takes no date beyond ten years."
  }
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "More tags, for the image, its snapshot, and the builder while it runs."
}

# --- the builder ----------------------------------------------------------------------------------

variable "region" {
  type        = string
  default     = ""
  description = "Empty: AWS_REGION, or the profile's region."
}

variable "ec2_endpoint" {
  type        = string
  default     = ""
  description = "Another address of the EC2 API, such as a VPC endpoint's. Empty: the region's."
}

variable "instance_type" {
  type        = string
  default     = ""
  description = "Of the builder. Empty: t3.small or t4g.small, as arch has it."
}

variable "subnet_id" {
  type        = string
  default     = ""
  description = "Where the builder runs; it has to reach the package mirrors. Empty: the default VPC."
}

variable "ssh_interface" {
  type        = string
  default     = "session_manager"
  description = "How the builder is reached: session_manager opens no port at all; public_ip and private_ip open port 22 to source_cidrs."
  validation {
    condition     = contains(["session_manager", "public_ip", "private_ip"], var.ssh_interface)
    error_message = "The ssh_interface is session_manager, public_ip or private_ip."
  }
}

variable "source_cidrs" {
  type        = list(string)
  default     = []
  description = "Who may reach port 22 of the builder. Empty: this machine's own public address alone."
  validation {
    condition     = length([for cidr in var.source_cidrs : cidr if regex_replace(cidr, "^.*/0*[0-7]$", "") == ""]) == 0
    error_message = "The source_cidrs may not hold the whole internet; leave them empty for this machine's own address."
  }
}

variable "ssh_username" {
  type        = string
  default     = ""
  description = "Empty: ubuntu or ec2-user, as os has it."
}

variable "iam_instance_profile" {
  type        = string
  default     = ""
  description = "A profile with AmazonSSMManagedInstanceCore for session_manager. Empty: a temporary one is made and removed."
}

# --- what is handed on ----------------------------------------------------------------------------

variable "output" {
  type        = string
  default     = "."
  description = "The folder for manifest.json and image.json; it has to exist."
}
